import { CommandFlag } from '@holdfast/nbd-protocol';
import { checkRequest, type CheckedRequest, type TransmissionFacts } from './check-request.js';
import type { IncomingReply, Settle } from './replies/incoming-reply.js';
import { assertSendable, type WireRequest } from './request.js';
import type { Transmission } from './transmission.js';

/** A request that has passed every check: {@link CommandIssuer.issue} cannot fail with it. */
export interface PreparedRequest {
  readonly wire: WireRequest;
  readonly onFlushed?: () => void;
}

/** Holds requests against what was negotiated and sends them. Whatever can be wrong about one is found before it is sent. */
export class CommandIssuer {
  readonly facts: TransmissionFacts;
  readonly isStrict: boolean;
  readonly #transmission: Transmission;

  constructor(facts: TransmissionFacts, isStrict: boolean, transmission: Transmission) {
    this.facts = facts;
    this.isStrict = isStrict;
    this.#transmission = transmission;
  }

  /**
   * @param wire what is sent, if that is not the same
   * @throws HoldfastError if the connection is closed, or the request is not one to send
   */
  prepare(request: CheckedRequest, wire: WireRequest): PreparedRequest {
    this.#transmission.assertOpen();
    if (this.isStrict) checkRequest(this.facts, request);
    return this.prepareUnchecked(wire);
  }

  /** As {@link prepare}, without what strictness checks. */
  prepareUnchecked(wire: WireRequest): PreparedRequest {
    this.#transmission.assertOpen();
    assertSendable(this.facts.replyMode, wire);
    return { wire };
  }

  /** Sends a request when there is a place. */
  issue<Result>(
    { wire, onFlushed }: PreparedRequest,
    replyFor: (settle: Settle<Result>) => IncomingReply,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#transmission.submit(wire, replyFor({ resolve, reject }), onFlushed);
    });
  }

  /** The flag that announces a payload, which compact requests do not have (T1). */
  get payloadFlag(): number {
    return this.facts.replyMode === 'extended' ? CommandFlag.PAYLOAD_LEN : 0;
  }
}
