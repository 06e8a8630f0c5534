import { mapName, verifierV1 } from '@holdfast/contracts';
import { checkResourceId, HoldfastError } from '@holdfast/foundation';
import { isProgramName } from '@holdfast/lifetime';
import type { HandleMapDefinition, HandleMapRecord, ValueRecord } from '@holdfast/store';
import { MAP_ENTRIES_MAX, MAP_FIELDS_MAX } from './limits.js';

const { MapField_Type: TypeCode } = verifierV1;

const FIELD_NAME = /^[A-Za-z]\w{0,62}$/;

/** @throws HoldfastError INVALID_ARGUMENT naming the field */
export function parseMap({ mapId, map }: verifierV1.CreateMapRequest): HandleMapDefinition {
  const name = checkResourceId(mapId, 'map_id');
  if (!isProgramName(name)) throw invalid('map_id', 'must be a name that programs can write');
  const { entries = 0, fields = [] } = map ?? {};
  if (entries < 1 || entries > MAP_ENTRIES_MAX) {
    throw invalid('map.entries', `must be 1–${String(MAP_ENTRIES_MAX)}`);
  }
  if (fields.length < 1 || fields.length > MAP_FIELDS_MAX) {
    throw invalid('map.fields', `must be 1–${String(MAP_FIELDS_MAX)}`);
  }
  const names = fields.map(parseField);
  if (new Set(names).size !== names.length) throw invalid('map.fields', 'must have different names');
  return { name, entries, fields: names };
}

export function toMapMessage({ name, entries, fields, createTime }: HandleMapRecord): verifierV1.Map {
  return {
    name: mapName.format(name),
    entries,
    fields: fields.map((field) => ({ name: field, type: TypeCode.TYPE_CHUNK })),
    createTime,
  };
}

export function toValueMessage(value: ValueRecord): verifierV1.MapValue {
  const { field, entry, allocatorNumber, chunk, generation } = value;
  return { field, entry, allocatorNumber, chunk, generation };
}

/** What {@link parseValueKey} reads: a field, and an entry of it. */
export function formatValueKey({ field, entry }: { readonly field: string; readonly entry: number }): string {
  return `${field}/${String(entry)}`;
}

/** @throws HoldfastError INVALID_ARGUMENT */
export function parseValueKey(text: string): { readonly field: string; readonly entry: number } {
  const [, field, entry] = /^([A-Za-z]\w{0,62})\/(\d{1,7})$/.exec(text) ?? [];
  if (field !== undefined) return { field, entry: Number(entry) };
  throw invalid('page_token', 'is not one that this service gave');
}

function parseField({ name, type }: verifierV1.MapField): string {
  if (!FIELD_NAME.test(name)) {
    throw invalid('map.fields.name', 'must be a letter, then letters, digits and underscores, at most 63');
  }
  if (type === TypeCode.TYPE_CHUNK || type === TypeCode.TYPE_UNSPECIFIED) return name;
  throw invalid('map.fields.type', 'must be TYPE_CHUNK');
}

function invalid(field: string, rule: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${field} ${rule}`, { field });
}
