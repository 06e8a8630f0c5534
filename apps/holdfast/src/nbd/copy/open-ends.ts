import { existsSync } from 'node:fs';
import { printNote } from '../../output/print.js';
import { checkTogether, refuseSameFile } from './ends/checks.js';
import type { CopyDestination, CopyEnd, CopySource } from './ends/copy-end.js';
import { fileDestination } from './ends/file-destination.js';
import { fileSource } from './ends/file-source.js';
import { allowsSeveral, furtherConnections } from './ends/nbd-connections.js';
import { nbdDestination } from './ends/nbd-destination.js';
import { nbdSource } from './ends/nbd-source.js';
import { nullDestination } from './ends/null-destination.js';
import { fitToSource, openDestinationFile, openSourceFile } from './ends/open-file.js';
import { letGo, openPlace, type Opened } from './ends/opened.js';
import type { Place } from './ends/place.js';
import { refused } from './ends/refused.js';
import { CONNECTIONS_DEFAULT } from './limits.js';
import { gridFor, type Grid } from './plan.js';

export interface EndsOptions {
  /** Undefined: as many as are of use. */
  readonly connections: number | undefined;
  /** Requests in flight on each connection. */
  readonly requests: number;
  /** Bytes; 0n for a copy from the start. */
  readonly resumeFrom: bigint;
  readonly destinationIsZero: boolean;
  readonly json: boolean;
}

/** Two ends that go together. */
export interface Ends {
  readonly source: CopySource;
  readonly destination: CopyDestination;
  readonly grid: Grid;
}

/**
 * Opens both ends, and makes sure that they go together before anything is written. Only then a file that is copied to from
 * the start is made as long as the source, and all zeroes.
 *
 * @throws HoldfastError COPY_REFUSED, and what opening throws
 */
export async function openEnds(from: Place, to: Place, options: EndsOptions): Promise<Ends> {
  const { requests, resumeFrom, json } = options;
  if (from.kind === 'null') throw refused('null: can be copied to only');
  refuseSameFile(from, to);
  if (resumeFrom > 0n && to.kind === 'file' && !existsSync(to.path)) {
    throw refused(`${to.name} is not there, so there is nothing to resume: leave --resume-from out`);
  }
  const opened: Opened[] = [];
  const ends: CopyEnd[] = [];
  try {
    const source = await openPlace(
      from,
      { requests, json, metaContexts: ['base:allocation'] },
      openSourceFile,
    );
    opened.push(source);
    const destination = await openPlace(to, { requests, json, metaContexts: [] }, openDestinationFile);
    opened.push(destination);
    const sizeBytes = checkTogether(source, destination, resumeFrom);
    const count = connectionCount([source, destination], options);
    const sourceEnd = await sourceOf(source, count);
    ends.push(sourceEnd);
    const destinationEnd = await destinationOf(destination, count, options);
    ends.push(destinationEnd);
    const grid = gridFor(sourceEnd, destinationEnd);
    if (destination.kind === 'file') fitToSource(destination.file, sizeBytes, resumeFrom > 0n);
    return { source: sourceEnd, destination: destinationEnd, grid };
  } catch (error) {
    for (const one of ends) one.abandon();
    for (const one of opened) letGo(one);
    throw error;
  }
}

/** Several only where a flush on one of them speaks for all: at both ends, since either may be flushed or changed. */
function connectionCount(ends: readonly Opened[], { connections, json }: EndsOptions): number {
  const exports = ends.flatMap((one) => (one.kind === 'nbd' ? [one] : []));
  if (exports.length === 0) return 1;
  const single = exports.find(({ connection }) => !allowsSeveral(connection));
  if (single === undefined) return connections ?? CONNECTIONS_DEFAULT;
  if (connections !== undefined && connections > 1) {
    printNote(`${single.name} takes one connection at a time, so the copy uses one`, json);
  }
  return 1;
}

async function sourceOf(opened: Opened, count: number): Promise<CopySource> {
  switch (opened.kind) {
    case 'nbd':
      return nbdSource(
        opened.name,
        await furtherConnections(opened.uri, opened.connection, count, opened.plan),
      );
    case 'file':
      return fileSource(opened.file);
    case 'null':
      throw refused('null: can be copied to only');
  }
}

async function destinationOf(
  opened: Opened,
  count: number,
  { resumeFrom, destinationIsZero }: EndsOptions,
): Promise<CopyDestination> {
  switch (opened.kind) {
    case 'nbd': {
      const connections = await furtherConnections(opened.uri, opened.connection, count, opened.plan);
      return nbdDestination(opened.name, connections, destinationIsZero);
    }
    case 'file': {
      // It is made so before it is written to.
      const isFresh = opened.file.identity.kind === 'file' && resumeFrom === 0n;
      return fileDestination(opened.file, isFresh || destinationIsZero);
    }
    case 'null':
      return nullDestination(opened.name);
  }
}
