import { ClientHandshake, type HandshakeStep } from '../handshake/client-handshake.js';
import { greeting } from './wire.js';

/** What a handshake came to; a machine is asked until it needs more. */
export function steps(machine: ClientHandshake): HandshakeStep[] {
  const seen: HandshakeStep[] = [];
  for (let step = machine.next(); step.kind !== 'need-input'; step = machine.next()) seen.push(step);
  return seen;
}

/** Pushes a stream in the given pieces. */
export function feed(machine: ClientHandshake, ...pieces: readonly Uint8Array[]): HandshakeStep[] {
  return pieces.flatMap((piece) => {
    machine.push(piece);
    return steps(machine);
  });
}

/** A machine that was greeted. */
export function greeted(flags = 3): ClientHandshake {
  const machine = new ClientHandshake();
  feed(machine, greeting(flags));
  return machine;
}
