import { Buffer } from 'node:buffer';
import { byteCount } from '@holdfast/foundation';
import { AllocationState } from '../constants/allocation-states.js';
import { TransmissionFlag } from '../constants/transmission-flags.js';
import { BASE_ALLOCATION, type MetaContext } from '../handshake/meta-context.js';
import type { ReplyMode } from '../handshake/reply-mode.js';
import type { Pace } from '../transmission/pace.js';
import { Step, type StepCode, type TransmissionEnd } from '../transmission/step.js';
import type { TransmissionFacts } from '../transmission/transmission-facts.js';
import { TransmissionMachine } from '../transmission/transmission-machine.js';

/** No session of a test takes as many: a machine that goes round in circles fails its test instead of hanging it. */
const STEPS_MAX = 1_000_000;

/** Offers every command and flag that there is with simple replies. */
export const OFFER_ALL =
  TransmissionFlag.HAS_FLAGS |
  TransmissionFlag.SEND_FLUSH |
  TransmissionFlag.SEND_FUA |
  TransmissionFlag.SEND_TRIM |
  TransmissionFlag.SEND_WRITE_ZEROES |
  TransmissionFlag.SEND_FAST_ZERO |
  TransmissionFlag.SEND_CACHE;

/** The flags that there are with other replies only. */
export const OFFER_MORE: Readonly<Record<ReplyMode, number>> = {
  simple: 0,
  structured: TransmissionFlag.SEND_DF,
  extended: TransmissionFlag.SEND_DF | TransmissionFlag.BLOCK_STATUS_PAYLOAD,
};

export interface MemoryDriverOptions {
  readonly image: Uint8Array;
  readonly transmissionFlags?: number;
  readonly blockSizeMinimum?: number;
  readonly payloadMaximum?: number;
  readonly inputBytes?: number;
  readonly outputBytes?: number;
  readonly transferMinimum?: number;
  readonly sendThreshold?: number;
  readonly writeThreshold?: number;
  readonly replyMode?: ReplyMode;
  readonly metaContexts?: readonly MetaContext[];
  /** Whether every receive had to wait for the client. */
  readonly isAwaited?: boolean;
  /** What a context says of each byte of the image; one that is not here says 0 of all. */
  readonly states?: Readonly<Record<string, Uint8Array>>;
  /** Longest extent that is reported, bytes: longer ones come in several, with equal flags. */
  readonly extentBytesMax?: number;
  readonly pace?: Pace;
  /** The errno with which an operation fails, 0 if it does not. */
  readonly fault?: (operation: Operation) => number;
}

/** What the machine asked of the export, or of the socket. */
export interface Operation {
  readonly step: keyof typeof Step;
  readonly fileOffset?: number;
  readonly length?: number;
  readonly flags?: string;
  /** extents: in the terms of which context. */
  readonly context?: string;
}

type FileStep = Exclude<
  StepCode,
  typeof Step.receive | typeof Step.send | typeof Step.wait | typeof Step.close
>;

/** Drives a machine over an image in memory and a stream of chunks. */
export class MemoryDriver {
  readonly machine: TransmissionMachine;
  readonly image: Uint8Array;
  readonly operations: Operation[] = [];
  steps = 0;
  bufferedBytesMax = 0;
  closeReason: TransmissionEnd | undefined;
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;
  readonly #sent: Uint8Array[] = [];
  /** A receive was asked for and not reported yet. */
  #receiving = false;
  readonly #fault: (operation: Operation) => number;
  readonly #states: ReadonlyMap<string, Uint8Array>;
  readonly #extentBytesMax: number;
  readonly #isAwaited: boolean;

  constructor(options: MemoryDriverOptions) {
    this.image = Uint8Array.from(options.image);
    this.#input = new Uint8Array(options.inputBytes ?? 64 * 1024);
    this.#output = new Uint8Array(options.outputBytes ?? 64 * 1024);
    this.#fault = options.fault ?? (() => 0);
    this.#states = new Map(
      Object.entries(options.states ?? {}).map(([name, states]) => [name, Uint8Array.from(states)]),
    );
    this.#extentBytesMax = options.extentBytesMax ?? Infinity;
    this.#isAwaited = options.isAwaited ?? false;
    const facts: TransmissionFacts = {
      sizeBytes: byteCount(this.image.length),
      transmissionFlags: options.transmissionFlags ?? OFFER_ALL | OFFER_MORE[options.replyMode ?? 'simple'],
      blockSizeMinimum: options.blockSizeMinimum ?? 1,
      payloadMaximum: options.payloadMaximum ?? 32 * 1024 * 1024,
      replyMode: options.replyMode ?? 'simple',
      metaContexts: options.metaContexts ?? [],
    };
    this.machine = new TransmissionMachine(
      facts,
      { input: this.#input, output: this.#output },
      {
        transferMinimum: options.transferMinimum ?? Infinity,
        sendThreshold: options.sendThreshold ?? 32 * 1024,
        writeThreshold: options.writeThreshold ?? 32 * 1024,
        ...(options.pace !== undefined && { pace: options.pace }),
      },
    );
  }

  /** Everything sent so far. */
  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  /** Serves the chunks, one receive for each as far as it fits, then the end of the stream. */
  serve(chunks: readonly Uint8Array[]): this {
    this.#run(chunks, () => new Uint8Array());
    return this;
  }

  /** Serves the chunks, then waits for more. */
  serveUntilIdle(chunks: readonly Uint8Array[]): this {
    this.#run(chunks, () => undefined);
    return this;
  }

  /** Another connection changes what a context says. */
  setState(context: string, from: number, to: number, flags: number): void {
    this.#states.get(context)?.fill(flags, from, to);
  }

  #run(stream: readonly Uint8Array[], atEnd: () => Uint8Array | undefined): void {
    const chunks = stream.filter((chunk) => chunk.length > 0);
    while (this.closeReason === undefined) {
      if (this.#receiving) {
        if (this.machine.brief === 1 && chunks.length === 0) {
          this.#receiving = false;
          this.machine.silent();
          continue;
        }
        const chunk = chunks.shift() ?? atEnd();
        if (chunk === undefined) return;
        this.#receive(chunk, chunks);
      } else {
        this.#take(this.machine.next());
        this.steps += 1;
        if (this.steps > STEPS_MAX) throw new Error('the session does not come to an end');
        this.bufferedBytesMax = Math.max(this.bufferedBytesMax, this.machine.bufferedBytes);
      }
    }
  }

  #take(step: StepCode): void {
    const { machine } = this;
    if (step === Step.receive) {
      this.#receiving = true;
    } else if (step === Step.close) {
      this.closeReason = machine.closeReason;
    } else if (step === Step.wait) {
      this.operations.push({ step: 'wait' });
      machine.waited();
    } else if (step === Step.send) {
      const { outputOffset, outputLength, more } = machine;
      this.operations.push({ step: 'send', length: outputLength, flags: more === 1 ? 'more' : '' });
      this.#sent.push(Uint8Array.from(this.#output.subarray(outputOffset, outputOffset + outputLength)));
      machine.sent();
    } else {
      const operation = this.#operation(step);
      if (operation.length === 0) throw new Error(`a ${operation.step} of no bytes`);
      this.operations.push(operation);
      const errno = this.#fault(operation);
      if (step === Step.transfer) {
        // A transfer that fails does so in the middle.
        const count = errno === 0 ? machine.length : Math.floor(machine.length / 2);
        this.#sent.push(Uint8Array.from(this.image.subarray(machine.fileOffset, machine.fileOffset + count)));
        machine.transferred(count, errno);
      } else {
        if (errno === 0) this.#perform(step);
        machine.completed(errno);
      }
    }
  }

  #receive(chunk: Uint8Array, later: Uint8Array[]): void {
    const { inputOffset, inputLength } = this.machine;
    if (inputLength === 0) throw new Error('a receive without room');
    const fitting = chunk.subarray(0, inputLength);
    if (fitting.length < chunk.length) later.unshift(chunk.subarray(inputLength));
    this.#input.set(fitting, inputOffset);
    this.#receiving = false;
    this.machine.received(fitting.length, this.#isAwaited);
  }

  #operation(step: FileStep): Operation {
    const { fileOffset, length, durable, noHole, fast } = this.machine;
    const range = { fileOffset, length };
    switch (step) {
      case Step.read:
        return { step: 'read', ...range };
      case Step.write:
        return { step: 'write', ...range, flags: flagsText({ durable }) };
      case Step.flush:
        return { step: 'flush' };
      case Step.trim:
        return { step: 'trim', ...range, flags: flagsText({ durable }) };
      case Step.zero:
        return { step: 'zero', ...range, flags: flagsText({ durable, noHole, fast }) };
      case Step.cache:
        return { step: 'cache', ...range };
      case Step.extents:
        return { step: 'extents', ...range, context: this.machine.context };
      case Step.transfer:
        return { step: 'transfer', ...range };
    }
  }

  #perform(step: FileStep): void {
    const { fileOffset, length, bufferOffset } = this.machine;
    const range = this.image.subarray(fileOffset, fileOffset + length);
    const allocation = this.#states.get(BASE_ALLOCATION)?.subarray(fileOffset, fileOffset + length);
    if (step === Step.read) this.#output.set(range, bufferOffset);
    if (step === Step.write) {
      range.set(this.#input.subarray(bufferOffset, bufferOffset + length));
      allocation?.fill(0);
    }
    if (step === Step.trim || step === Step.zero) {
      range.fill(0);
      allocation?.fill(AllocationState.HOLE | AllocationState.ZERO);
    }
    if (step === Step.extents) this.#report();
  }

  #report(): void {
    const { fileOffset, length, extents, context } = this.machine;
    const states = this.#states.get(context) ?? new Uint8Array(this.image.length);
    for (let at = fileOffset; at < fileOffset + length && !extents.isFull;) {
      const end = endOfRun(states, at, Math.min(states.length, at + this.#extentBytesMax));
      extents.add(end - at, states[at] ?? 0);
      at = end;
    }
  }
}

function endOfRun(states: Uint8Array, from: number, end: number): number {
  let at = from + 1;
  while (at < end && states[at] === states[from]) at += 1;
  return at;
}

function flagsText(flags: Record<string, number>): string {
  return Object.keys(flags)
    .filter((name) => flags[name] === 1)
    .join(' ');
}
