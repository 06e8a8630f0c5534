import { createLogger } from '@holdfast/service';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Engine } from '../engine/engine.js';
import { EventLoopEngine } from '../engine/event-loop-engine.js';
import type { ThreadEngine } from '../engine/thread-engine.js';
import { compiledThreadEngine } from './compiled.js';

const THREADS = 2;

/** Describes what either engine must do; both get the same tests. */
export function describeEngines(title: string, body: (engine: () => Engine) => void): void {
  describe(`${title}, on the event loop`, () => {
    const engine = new EventLoopEngine();
    body(() => engine);
  });

  describe(`${title}, on a thread`, () => {
    let engine: ThreadEngine;
    beforeAll(async () => {
      const { ThreadEngine: Compiled } = await compiledThreadEngine();
      engine = new Compiled(createLogger('engine', 'silent'));
      await engine.start(THREADS);
    });
    afterAll(() => engine.stop());
    body(() => engine);
  });
}
