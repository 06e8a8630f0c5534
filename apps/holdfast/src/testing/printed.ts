import { onTestFinished, vi } from 'vitest';

/** What the code under test prints from now on, instead of printing it. */
export interface Printed {
  stdout: string;
  stderr: string;
}

export function capturePrinted(): Printed {
  const printed: Printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    const spy = vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      printed[stream] += String(text);
      return true;
    });
    onTestFinished(() => {
      spy.mockRestore();
    });
  }
  return printed;
}
