import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { compiledModule } from './child.js';

/**
 * A worker thread in which `linux` is this room, compiled, and `data` what it was given; it runs `script` after it
 * said that it is up, and lives until it is terminated.
 */
export async function startWorker(script: string, data?: unknown): Promise<Worker> {
  const source = `
    const { parentPort, workerData: data } = require('node:worker_threads');
    import(${JSON.stringify(compiledModule())}).then((linux) => {
      setInterval(() => {}, 1e6);
      parentPort.postMessage('up');
      ${script}
    });`;
  const worker = new Worker(source, { eval: true, workerData: data });
  await once(worker, 'message');
  return worker;
}
