import type { NbdConnection, NbdUri } from '@holdfast/nbd-client';
import { firstConnection, type ConnectionPlan } from './nbd-connections.js';
import { letGoOfFile, type OpenFile } from './open-file.js';
import type { Place } from './place.js';

export interface OpenedExport {
  readonly kind: 'nbd';
  readonly name: string;
  readonly uri: NbdUri;
  /** The first one; whether there are more depends on both ends. */
  readonly connection: NbdConnection;
  readonly plan: ConnectionPlan;
}

export interface OpenedFile {
  readonly kind: 'file';
  readonly name: string;
  readonly file: OpenFile;
}

export interface Nothing {
  readonly kind: 'null';
  readonly name: string;
}

/** A place that was opened, to be looked at before anything is copied. */
export type Opened = OpenedExport | OpenedFile | Nothing;

export async function openPlace(
  place: Place,
  plan: ConnectionPlan,
  openFile: (path: string) => OpenFile,
): Promise<Opened> {
  const { name } = place;
  switch (place.kind) {
    case 'nbd':
      return { kind: 'nbd', name, uri: place.uri, connection: await firstConnection(place.uri, plan), plan };
    case 'file':
      return { kind: 'file', name, file: openFile(place.path) };
    case 'null':
      return { kind: 'null', name };
  }
}

/** Bytes; undefined where there is no limit. */
export function sizeOf(opened: Opened): bigint | undefined {
  switch (opened.kind) {
    case 'nbd':
      return opened.connection.exportInfo.sizeBytes;
    case 'file':
      return BigInt(opened.file.identity.sizeBytes);
    case 'null':
      return undefined;
  }
}

/** For a copy that is refused. */
export function letGo(opened: Opened): void {
  if (opened.kind === 'nbd') opened.connection.destroy();
  if (opened.kind === 'file') letGoOfFile(opened.file);
}
