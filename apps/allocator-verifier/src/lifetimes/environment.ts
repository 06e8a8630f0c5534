import type { AllocatorType, Environment, MapType } from '@holdfast/lifetime';
import type { Named } from '../program/named.js';
import type { Memory } from './records.js';

/** All allocators hand out chunks, and all fields hold them. */
const CHUNK = { type: 'chunk' };

/** What is there of what a program names. */
export function environmentOf(
  named: Named,
  { maps, allocators }: Pick<Memory, 'maps' | 'allocators'>,
): Environment {
  const known = named.allocators.filter((name) => allocators.has(name));
  const found = named.maps.flatMap((name) => maps.get(name) ?? []);
  return {
    allocators: new Map<string, AllocatorType>(known.map((name) => [name, CHUNK])),
    maps: new Map<string, MapType>(
      found.map(({ name, entries, fields }) => [
        name,
        { entries, fields: new Map(fields.map((field) => [field, CHUNK])) },
      ]),
    ),
  };
}
