import type { Probe } from '../../probe.js';

export const t10: Probe = {
  rule: 'T10',
  title: 'a simple READ that fails after its header was sent ends the connection',
  modes: ['simple'],
  untriable: 'a disk that fails cannot be arranged from outside',
  run: () => undefined,
};
