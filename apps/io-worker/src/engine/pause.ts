import type { TransmissionMachine } from '@holdfast/nbd-protocol';
import type { SessionPins } from '../pins/session-pins.js';
import type { Assignment } from './engine.js';
import type { SessionControl } from './session-control.js';

/**
 * Where one engine stops a session and another goes on, in this process or in its successor: between two requests. All that
 * is left of the machine then is what it had not decoded, and what it has found out about its client.
 */

/** Leaves a machine that is at rest. @param readAhead what was read of the client beyond the machine's input */
export function pause(
  machine: TransmissionMachine,
  control: SessionControl,
  readAhead: Uint8Array = new Uint8Array(),
): 'paused' {
  control.publish(machine.counters);
  control.assumesPayloads = machine.assumesPayloads;
  control.refuses = control.stopping;
  const undecoded = machine.undecoded();
  control.undecoded = readAhead.length === 0 ? undecoded : Buffer.concat([undecoded, readAhead]);
  return 'paused';
}

/** Begins a machine where another was left, or at the beginning. */
export function resume(
  machine: TransmissionMachine,
  { control, pins, preload }: Pick<Assignment, 'control' | 'preload'> & { readonly pins: SessionPins },
): void {
  control.beginCounting();
  if (control.assumesPayloads) machine.assumePayloads();
  if (control.refuses) machine.beginShutdown();
  pins.takeOver(preload, (bytes) => {
    machine.preload(bytes);
  });
}
