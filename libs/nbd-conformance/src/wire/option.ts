import type { Buffer } from 'node:buffer';
import { IHAVEOPT, Option } from '@holdfast/nbd-protocol';
import { bytesOf } from './bytes.js';

/** An option whose data is as long as it says, unless `lengthBytes` says otherwise. */
export function option(code: number, data: Uint8Array | string = '', lengthBytes?: number): Buffer {
  const bytes = bytesOf(data);
  return bytesOf([64, IHAVEOPT], [32, code], [32, lengthBytes ?? bytes.length], bytes);
}

/** The data of INFO and GO. */
export function infoData(name: string, ...infoTypes: readonly number[]): Buffer {
  return bytesOf(sized(name), [16, infoTypes.length], ...infoTypes.map((type) => [16, type] as const));
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export function contextData(name: string, ...queries: readonly string[]): Buffer {
  return bytesOf(sized(name), [32, queries.length], ...queries.map(sized));
}

/** The name of an option as the specification has it. */
export function optionName(code: number): string {
  const name = Object.entries(Option).find(([, value]) => value === code)?.[0];
  return name === undefined ? `option ${code}` : `NBD_OPT_${name}`;
}

function sized(text: string): Buffer {
  const bytes = bytesOf(text);
  return bytesOf([32, bytes.length], bytes);
}
