export type { Effects, Field } from './effects.js';
