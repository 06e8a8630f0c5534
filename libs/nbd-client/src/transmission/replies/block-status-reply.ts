import {
  ChunkType,
  countBlockStatusExtents,
  countBlockStatusExtExtents,
  EXTENTS_MAX,
  parseBlockStatus,
  parseBlockStatusExt,
  type MetaContext,
} from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../../errors/protocol-error.js';
import { ExtentList } from '../../extents/extent-list.js';
import { IncomingReply, type Asked, type Settle, type StatusTaker } from './incoming-reply.js';

/** What one metadata context says about a range. */
export interface ContextExtents {
  /** The name of the context, such as `base:allocation`. */
  readonly context: string;
  readonly extents: ExtentList;
}

/** What decides which extents may come. */
export interface BlockStatusFacts {
  /** Extended headers: only BLOCK_STATUS_EXT may come, without them only BLOCK_STATUS (B1). */
  readonly extended: boolean;
  /** The contexts that were asked for, each to be answered once. */
  readonly contexts: readonly MetaContext[];
  readonly reqOne: boolean;
  /** Advertised minimum block size, bytes; 1 if there is none. */
  readonly blockSizeMinimum: number;
  /** Bytes. */
  readonly exportSize: bigint;
}

/** The reply to a BLOCK_STATUS (T11): one chunk for each context, at least one extent in each, only the last overruns. */
export class BlockStatusReply extends IncomingReply implements StatusTaker {
  readonly #facts: BlockStatusFacts;
  readonly #resolve: Settle<readonly ContextExtents[]>['resolve'];
  readonly #extents = new Map<number, ExtentList>();

  constructor(asked: Asked, facts: BlockStatusFacts, settle: Settle<readonly ContextExtents[]>) {
    super(asked, settle.reject);
    this.#facts = facts;
    this.#resolve = settle.resolve;
  }

  override get content(): undefined {
    return undefined;
  }

  override get status(): StatusTaker {
    return this;
  }

  admitStatus(type: number, chunkLength: number): void {
    const { extended } = this.#facts;
    if ((type === ChunkType.BLOCK_STATUS_EXT) !== extended) throw new NbdProtocolError('wrong-block-status');
    const count = (extended ? countBlockStatusExtExtents : countBlockStatusExtents)(chunkLength);
    if (count === 'malformed') {
      throw new NbdProtocolError('malformed-chunk', `block status of ${String(chunkLength)} bytes`);
    }
    if (count > EXTENTS_MAX) throw new NbdProtocolError('too-many-extents', `${String(count)} extents`);
    // More chunks than contexts would be a repetition, which is told here before memory is taken for it.
    if (this.#extents.size === this.#facts.contexts.length) throw new NbdProtocolError('repeated-context');
  }

  addStatus(payload: Uint8Array): void {
    const { offset } = this.asked;
    // The two forms are read apart, each into an array of its own (B2).
    if (this.#facts.extended) {
      const status = parseBlockStatusExt(payload);
      if (status === 'malformed') throw new NbdProtocolError('malformed-chunk', 'block status');
      this.#add(status.contextId, new ExtentList(offset, status.descriptors));
    } else {
      const status = parseBlockStatus(payload);
      if (status === 'malformed') throw new NbdProtocolError('malformed-chunk', 'block status');
      this.#add(status.contextId, ExtentList.widen(offset, status.descriptors));
    }
  }

  protected override succeed(): void {
    const answers = this.#facts.contexts.map(({ id, name }) => {
      const extents = this.#extents.get(id);
      if (extents === undefined) throw new NbdProtocolError('missing-context', name);
      return { context: name, extents };
    });
    this.#resolve(answers);
  }

  #add(contextId: number, extents: ExtentList): void {
    if (!this.#facts.contexts.some(({ id }) => id === contextId)) {
      throw new NbdProtocolError('unknown-context', `id ${String(contextId)}`);
    }
    if (this.#extents.has(contextId)) throw new NbdProtocolError('repeated-context');
    this.#checkLengths(extents);
    this.#extents.set(contextId, extents);
  }

  /** Section "Structured reply types", NBD_REPLY_TYPE_BLOCK_STATUS. */
  #checkLengths(extents: ExtentList): void {
    const { reqOne, exportSize } = this.#facts;
    const { offset, length } = this.asked;
    // What a request of no length gets is unspecified.
    if (length === 0n) return;
    const blockSize = BigInt(this.#facts.blockSizeMinimum);
    if (reqOne && extents.count > 1) throw new NbdProtocolError('extents-beyond-request', 'with REQ_ONE');
    let total = 0n;
    for (let index = 0; index < extents.count; index += 1) {
      if (total >= length) throw new NbdProtocolError('extents-beyond-request');
      total += extents.lengthOf(index);
      // The end of an export need not be at a multiple.
      if (total % blockSize !== 0n && offset + total < exportSize) {
        throw new NbdProtocolError('misaligned-extent', `up to offset ${offset + total}`);
      }
    }
    if (reqOne && total > length) throw new NbdProtocolError('extents-beyond-request', 'with REQ_ONE');
  }
}
