import { client } from './client.js';
import { handshake } from './handshake.js';
import { negotiation } from './negotiation.js';
import { transmission } from './transmission.js';

/** Everything that can be fuzzed, by name. */
export const targets = new Map(
  [handshake, transmission, negotiation, client].map((target) => [target.name, target]),
);
