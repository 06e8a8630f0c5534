import { HoldfastError } from '@holdfast/foundation';

const PAGE_SIZE_DEFAULT = 100;
/** Bounds the memory of one answer. */
const PAGE_SIZE_MAX = 1000;
/** A token of ours holds a resource name: at most `sessions/` and an id of 255 bytes, in base64. */
const PAGE_TOKEN_CHARS_MAX = 512;

export interface PageRequest {
  readonly pageSize: number;
  /** The last id of the page before; undefined for the first page. */
  readonly after: string | undefined;
}

/**
 * Decodes `page_size` and `page_token` (AIP-158). A token is the last id of the page before, base64url.
 *
 * @throws HoldfastError INVALID_ARGUMENT
 */
export function parsePage(request: { pageSize: number; pageToken: string }): PageRequest {
  if (request.pageSize < 0 || request.pageSize > PAGE_SIZE_MAX) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `page_size must be 0–${String(PAGE_SIZE_MAX)}, got ${String(request.pageSize)}`,
      { field: 'page_size' },
    );
  }
  const after = parsePageToken(request.pageToken);
  if (after === undefined) {
    throw new HoldfastError('INVALID_ARGUMENT', 'page_token is not one that this service gave', {
      field: 'page_token',
    });
  }
  return {
    pageSize: request.pageSize === 0 ? PAGE_SIZE_DEFAULT : request.pageSize,
    after: after === '' ? undefined : after,
  };
}

/** Undefined unless it is what {@link formatPageToken} writes; no id has control characters. */
function parsePageToken(token: string): string | undefined {
  if (token.length > PAGE_TOKEN_CHARS_MAX) return undefined;
  const lastId = Buffer.from(token, 'base64url').toString();
  const isOurs = formatPageToken(lastId) === token && !/\p{Cc}/u.test(lastId);
  return isOurs ? lastId : undefined;
}

export function formatPageToken(lastId: string | undefined): string {
  return lastId === undefined ? '' : Buffer.from(lastId).toString('base64url');
}

/** Follows page tokens to the end. */
export async function listAll<T>(
  fetchPage: (pageToken: string) => Promise<{ items: readonly T[]; nextPageToken: string }>,
): Promise<T[]> {
  const all: T[] = [];
  let pageToken = '';
  do {
    const page = await fetchPage(pageToken);
    all.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return all;
}
