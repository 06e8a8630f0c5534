import type { Probe } from '../../probe.js';

export const n10: Probe = {
  rule: 'N10',
  title: 'a handshake is bounded in options, bytes and time, and connections in number',
  modes: [],
  untriable: 'a bound cannot be told from patience without doing what it is there against',
  run: () => undefined,
};
