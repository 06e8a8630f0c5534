import { createHash } from 'node:crypto';
import { HoldfastError } from '@holdfast/foundation';
import type { MethodDefinition } from '@holdfast/contracts';
import { requestIdReused, type Cause, type RequestRecord, type RequestRepository } from '@holdfast/store';

/** RFC 9562, section 4; the nil UUID is none that anybody has chosen. */
const UUID = /^(?!0{8}-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Goes into the cause of whatever is done for a request, so that it is noted with the request. */
export type RequestMark = Pick<Cause, 'requestId'>;

/** What was done for a request before its answer was recorded. */
export type Effect = Pick<RequestRecord, 'effect' | 'attachmentId'>;

export interface Repeatable<Response> {
  /** The answer, where a crash came between deed and answer; undefined when it has to be done, or done again. */
  readonly earlier: (effect: Effect) => Response | undefined | Promise<Response | undefined>;
  readonly act: (mark: RequestMark) => Promise<Response>;
}

interface UnderWay {
  readonly fingerprint: string;
  readonly outcome: Promise<unknown>;
}

/** Carries out each request once, however often its caller repeats it under the same id (AIP-155). */
export class RequestService {
  readonly #requests: RequestRepository;
  readonly #underWay = new Map<string, UnderWay>();

  constructor(requests: RequestRepository) {
    this.#requests = requests;
  }

  /**
   * Answers as the first time, or once the first time is done; a request that has failed is tried again. A request
   * without an id is carried out.
   *
   * @throws HoldfastError INVALID_ARGUMENT for an id that is no UUID; REQUEST_ID_REUSED; whatever `act` throws
   */
  async once<Request extends { readonly requestId?: string | undefined }, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    work: Repeatable<Response>,
  ): Promise<Response> {
    if (request.requestId === undefined) return work.act({});
    const id = parseRequestId(request.requestId);
    const fingerprint = fingerprintOf(method, request);
    const pending = this.#underWay.get(id);
    // The same fingerprint is the same method, and so the same response.
    if (pending?.fingerprint === fingerprint) return pending.outcome as Promise<Response>;
    if (pending !== undefined) throw requestIdReused(id);
    const outcome = this.#carryOut(id, fingerprint, method, work);
    const end = () => this.#underWay.delete(id);
    this.#underWay.set(id, { fingerprint, outcome });
    outcome.then(end, end);
    return outcome;
  }

  async #carryOut<Request, Response>(
    id: string,
    fingerprint: string,
    { responseSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
    { earlier, act }: Repeatable<Response>,
  ): Promise<Response> {
    const known = await this.#requests.begin(id, fingerprint);
    if (known.response !== undefined) return responseDeserialize(Buffer.from(known.response));
    const response = (await earlier(known)) ?? (await this.#attempt(id, act));
    await this.#requests.finish(id, responseSerialize(response));
    return response;
  }

  /** What failed was undone, so nothing of it counts when the request is repeated. */
  async #attempt<Response>(id: string, act: Repeatable<Response>['act']): Promise<Response> {
    try {
      return await act({ requestId: id });
    } catch (error) {
      // A database that fails here as well has let the repair decide.
      await this.#requests.fail(id).catch(() => undefined);
      throw error;
    }
  }
}

function parseRequestId(text: string): string {
  const id = text.toLowerCase();
  if (UUID.test(id)) return id;
  throw new HoldfastError('INVALID_ARGUMENT', `request_id must be a UUID, is "${text.slice(0, 80)}"`, {
    field: 'request_id',
  });
}

function fingerprintOf<Request, Response>(
  { path, requestSerialize }: MethodDefinition<Request, Response>,
  request: Request,
): string {
  const bytes = requestSerialize({ ...request, requestId: undefined });
  return createHash('sha256').update(`${path}\n`).update(bytes).digest('hex');
}
