import { IncomingReply, type Asked, type Settle } from './incoming-reply.js';

/** The reply to a request that is answered by success or error and nothing else: WRITE, FLUSH, TRIM, CACHE, WRITE_ZEROES. */
export class StatusReply extends IncomingReply {
  readonly #resolve: Settle<undefined>['resolve'];

  constructor(asked: Asked, settle: Settle<undefined>) {
    super(asked, settle.reject);
    this.#resolve = settle.resolve;
  }

  override get content(): undefined {
    return undefined;
  }

  override get status(): undefined {
    return undefined;
  }

  protected override succeed(): void {
    this.#resolve(undefined);
  }
}
