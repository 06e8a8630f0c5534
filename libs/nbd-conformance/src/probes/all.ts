import type { Probe } from '../probe.js';
import { n1 } from './handshake/n01-unknown-option.js';
import { n2 } from './handshake/n02-client-flags.js';
import { n3 } from './handshake/n03-export-name.js';
import { n4 } from './handshake/n04-list.js';
import { n5 } from './handshake/n05-info-go.js';
import { n6 } from './handshake/n06-abort.js';
import { n7 } from './handshake/n07-starttls.js';
import { n8 } from './handshake/n08-tls-modes.js';
import { n9 } from './handshake/n09-meta-contexts.js';
import { n10 } from './handshake/n10-bounds.js';
import { n11 } from './handshake/n11-extended-headers.js';
import { n12 } from './handshake/n12-unwelcome.js';
import { t1 } from './transmission/t01-payloads.js';
import { t2 } from './transmission/t02-flags.js';
import { t3 } from './transmission/t03-drained-writes.js';
import { t4 } from './transmission/t04-past-the-end.js';
import { t5 } from './transmission/t05-block-sizes.js';
import { t6 } from './transmission/t06-long-effects.js';
import { t7 } from './transmission/t07-nothing-and-nonsense.js';
import { t8 } from './transmission/t08-reply-form.js';
import { t9 } from './transmission/t09-read-chunks.js';
import { t10 } from './transmission/t10-read-errors.js';
import { t11 } from './transmission/t11-block-status.js';
import { t12 } from './transmission/t12-extended-replies.js';
import { t13 } from './transmission/t13-flush.js';
import { t14 } from './transmission/t14-write-zeroes.js';
import { t15 } from './transmission/t15-disc.js';
import { t16 } from './transmission/t16-cookies.js';
import { t17 } from './transmission/t17-stale-writes.js';
import { t18 } from './transmission/t18-export-flags.js';
import { t19 } from './transmission/t19-bounded-replies.js';

/** Every rule, in order. */
export const probes: readonly Probe[] = [
  ...[n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12],
  ...[t1, t2, t3, t4, t5, t6, t7, t8, t9, t10],
  ...[t11, t12, t13, t14, t15, t16, t17, t18, t19],
];
