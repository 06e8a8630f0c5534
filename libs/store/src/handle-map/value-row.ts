import type { MapValue } from '../generated/sqlite/client.js';
import type { ValueRecord } from './handle-map-record.js';

export function toValueRecord({ generation, ...same }: MapValue): ValueRecord {
  return { ...same, generation: Number(generation) };
}

export function toValueRow(value: ValueRecord): MapValue {
  const { mapNumber, field, entry, allocatorNumber, chunk, generation } = value;
  return { mapNumber, field, entry, allocatorNumber, chunk, generation: BigInt(generation) };
}
