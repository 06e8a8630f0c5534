import type { Field } from '../effects.js';

/** Where a handle came from: straight out of an allocator, or out of a field. */
export type Source =
  | { readonly kind: 'allocator'; readonly allocator: string }
  | { readonly kind: 'field'; readonly field: Field };

export function formatField({ map, field }: Field): string {
  return `${map}.${field}`;
}

/** `pool`, or `volume.chunk`: names of allocators have no dot. */
export function formatSource(source: Source): string {
  return source.kind === 'allocator' ? source.allocator : formatField(source.field);
}

/** What is known of a register, on all paths that lead to an instruction. */
export type RegisterValue =
  /** Nothing that may be read. `releasedAt`: the instruction that gave a handle away on some path. */
  | { readonly kind: 'empty'; readonly releasedAt: number | undefined }
  | { readonly kind: 'integer' }
  | { readonly kind: 'null' }
  /** A handle that the program owns, from any of `sources`, by {@link formatSource}; if `nullable` it may be null. */
  | {
      readonly kind: 'handle';
      readonly type: string;
      readonly nullable: boolean;
      readonly sources: ReadonlyMap<string, Source>;
    };

export type HandleValue = Extract<RegisterValue, { kind: 'handle' }>;

export const UNSET: RegisterValue = { kind: 'empty', releasedAt: undefined };
export const INTEGER: RegisterValue = { kind: 'integer' };
export const NULL: RegisterValue = { kind: 'null' };

export function handleFrom(source: Source, type: string): HandleValue {
  return { kind: 'handle', type, nullable: true, sources: new Map([[formatSource(source), source]]) };
}

/** The words of an error or a log. */
export function formatValue(value: RegisterValue): string {
  switch (value.kind) {
    case 'empty':
      return 'nothing';
    case 'integer':
      return 'integer';
    case 'null':
      return 'null';
    case 'handle':
      return `${value.type} from ${[...value.sources.keys()].join('|')}${value.nullable ? ' or null' : ''}`;
  }
}

/** Why two paths cannot come together. */
export type Discord = 'ownership' | 'type';

/**
 * What is known where two paths come together. Returns `known` itself when `other` adds nothing. A handle that only one
 * of them holds is a discord: no instruction could release it on one path and not on the other.
 */
export function join(known: RegisterValue, other: RegisterValue): RegisterValue | Discord {
  if (known.kind === 'handle')
    return other.kind === 'handle' ? joinHandles(known, other) : joinOther(known, other);
  if (other.kind === 'handle') return known.kind === 'null' ? { ...other, nullable: true } : 'ownership';
  if (known.kind === other.kind && known.kind !== 'empty') return known;
  const releasedAt = releaseOf(known) ?? releaseOf(other);
  return known.kind === 'empty' && known.releasedAt === releasedAt ? known : { kind: 'empty', releasedAt };
}

function releaseOf(value: RegisterValue): number | undefined {
  return value.kind === 'empty' ? value.releasedAt : undefined;
}

function joinOther(known: HandleValue, other: RegisterValue): RegisterValue | Discord {
  if (other.kind !== 'null') return 'ownership';
  return known.nullable ? known : { ...known, nullable: true };
}

function joinHandles(known: HandleValue, other: HandleValue): RegisterValue | Discord {
  if (known.type !== other.type) return 'type';
  const nullable = known.nullable || other.nullable;
  const adds = [...other.sources.keys()].some((key) => !known.sources.has(key));
  if (!adds) return nullable === known.nullable ? known : { ...known, nullable };
  return {
    kind: 'handle',
    type: known.type,
    nullable,
    sources: new Map([...known.sources, ...other.sources]),
  };
}
