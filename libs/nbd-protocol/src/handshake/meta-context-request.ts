import { Buffer } from 'node:buffer';
import { META_CONTEXT_QUERIES_MAX, STRING_BYTES_MAX } from '../limits.js';
import { bufferOver } from './buffer-over.js';
import { invalid, tooBig, type MalformedOption } from './malformed-option.js';
import { encodeName, parseString } from './string.js';

/*
 * Data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT (section "Option types")
 *   C: 32 bits, length of export name (unsigned)
 *   C: name of the export
 *   C: 32 bits, number of queries
 *   C: of each query
 *      32 bits, length of query (unsigned)
 *      query, which begins with a namespace and a colon
 */
const LENGTH_BYTES = 4;

export interface MetaContextRequest {
  readonly exportName: string;
  /** None at all asks LIST_META_CONTEXT for every context, and SET_META_CONTEXT for no context. */
  readonly queries: readonly string[];
}

export function encodeMetaContextRequest({ exportName, queries }: MetaContextRequest): Uint8Array {
  const count = Buffer.alloc(LENGTH_BYTES);
  count.writeUInt32BE(queries.length);
  return Buffer.concat([encodeSized(exportName), count, ...queries.map(encodeSized)]);
}

/** Reads the whole data of the option. Lengths within it are checked before they are used (N5, N9). */
export function parseMetaContextRequest(data: Uint8Array): MetaContextRequest | MalformedOption {
  const name = parseSized(data, 'name of the export');
  if ('error' in name) return name;
  const { rest } = name;
  if (rest.length < LENGTH_BYTES) return invalid('the option ends before the number of queries');
  const count = bufferOver(rest).readUInt32BE(0);
  if (count > META_CONTEXT_QUERIES_MAX) {
    return tooBig(`there are more than ${String(META_CONTEXT_QUERIES_MAX)} queries`);
  }
  return parseQueries(name.text, rest.subarray(LENGTH_BYTES), count);
}

function parseQueries(
  exportName: string,
  data: Uint8Array,
  count: number,
): MetaContextRequest | MalformedOption {
  const queries: string[] = [];
  let rest = data;
  while (queries.length < count) {
    const query = parseSized(rest, 'query');
    if ('error' in query) return query;
    if (query.text.indexOf(':') < 1) {
      return invalid('a query does not begin with a namespace and a colon, as in "base:allocation"');
    }
    queries.push(query.text);
    rest = query.rest;
  }
  return rest.length === 0 ? { exportName, queries } : invalid('the option goes on after the last query');
}

function encodeSized(text: string): Uint8Array {
  const bytes = encodeName(text);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A string behind its length, and what follows it. */
function parseSized(
  data: Uint8Array,
  what: string,
): { readonly text: string; readonly rest: Uint8Array } | MalformedOption {
  if (data.length < LENGTH_BYTES) return invalid(`the option ends before a ${what}`);
  const end = LENGTH_BYTES + bufferOver(data).readUInt32BE(0);
  if (end > data.length) return invalid(`a ${what} exceeds the option`);
  if (end - LENGTH_BYTES > STRING_BYTES_MAX) return tooBig(`a ${what} is longer than 4096 bytes`);
  const text = parseString(data.subarray(LENGTH_BYTES, end));
  if (text === undefined) return invalid(`a ${what} is not UTF-8 without NUL`);
  return { text, rest: data.subarray(end) };
}
