import type { Probe } from '../../probe.js';

export const t17: Probe = {
  rule: 'T17',
  title: 'an old write of a dead connection never lands over newer data',
  modes: [],
  untriable: 'a disk that stalls cannot be arranged from outside',
  run: () => undefined,
};
