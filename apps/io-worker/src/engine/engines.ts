import type { Engine } from './engine.js';
import type { EventLoopEngine } from './event-loop-engine.js';
import type { ThreadEngine } from './thread-engine.js';

/** The two engines of a worker: threads while there are idle ones, the event loop beyond. */
export class Engines {
  readonly threads: ThreadEngine;
  readonly eventLoop: EventLoopEngine;

  constructor(threads: ThreadEngine, eventLoop: EventLoopEngine) {
    this.threads = threads;
    this.eventLoop = eventLoop;
  }

  /** @param needsEventLoop what the session works on has no descriptor, or is chunks of one */
  choose(needsEventLoop = false): Engine {
    if (needsEventLoop) return this.eventLoop;
    return this.threads.available ? this.threads : this.eventLoop;
  }
}
