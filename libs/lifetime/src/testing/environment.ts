import type { Environment, MapType } from '../verifier/environment.js';

/** A map of fields of given types. */
export function mapOf(entries: number, fields: Readonly<Record<string, string>>): MapType {
  return {
    entries,
    fields: new Map(Object.entries(fields).map(([name, type]) => [name, { type }])),
  };
}

/** An environment in few words: allocators with what they hand out, and maps. */
export function environmentOf(
  allocators: Readonly<Record<string, string>>,
  maps: Readonly<Record<string, MapType>>,
): Environment {
  return {
    allocators: new Map(Object.entries(allocators).map(([name, type]) => [name, { type }])),
    maps: new Map(Object.entries(maps)),
  };
}

/** Two allocators of chunks and one of pages; maps of several shapes, one of them with an inner map. */
export const SCENE = environmentOf(
  { fast: 'chunk', slow: 'chunk', memory: 'page' },
  {
    volume: mapOf(4, { chunk: 'chunk', spare: 'chunk' }),
    snapshot: mapOf(2, { chunk: 'chunk' }),
    cache: mapOf(1, { page: 'page' }),
    catalogue: mapOf(2, { inner: 'inner-map', chunk: 'chunk' }),
  },
);
