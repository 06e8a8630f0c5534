import { setTimeout as delay } from 'node:timers/promises';
import { hasHungUp } from '@holdfast/linux';
import type { Assignment, EndReason, Engine } from '../engine/engine.js';

/** An engine whose device does not answer: a session goes on until it is fenced and its socket is shut. */
export class StuckEngine implements Engine {
  readonly name = 'event-loop';
  readonly available = true;
  /** What had been decided about a session when it ended. */
  readonly ends: { readonly stopping: boolean; readonly fenced: boolean }[] = [];

  async serve({ control, socket }: Assignment): Promise<EndReason> {
    while (!control.fenced) await delay(5);
    const { stopping, fenced } = control;
    this.ends.push({ stopping, fenced });
    return hasHungUp(socket.number) ? 'fenced' : 'internal-error';
  }
}
