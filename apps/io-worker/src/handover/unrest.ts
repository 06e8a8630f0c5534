import { HoldfastError } from '@holdfast/foundation';
import type { Session } from '../session/session.js';
import { NAMED_MAX, REST_MS } from './limits.js';

/**
 * Sessions of another server's export have a connection there that cannot be handed over: whether the writes that were
 * answered on it and not flushed are still there is known to this process only, and a FLUSH must not speak for them (T13).
 *
 * @throws HoldfastError UPGRADE_FAILED naming them
 */
export function requireHandable(sessions: readonly Session[]): void {
  requireNoChunks(sessions);
  const remote = sessions.filter(({ definition }) => definition.holding.kind === 'remote');
  if (remote.length === 0) return;
  throw new HoldfastError(
    'UPGRADE_FAILED',
    `the worker was not upgraded, and everything goes on as before: ${named(remote)} ${remote.length === 1 ? 'uses an export' : 'use exports'} of another NBD server, whose connection cannot be handed over; end them first`,
    { sessions: named(remote) },
  );
}

/**
 * What sessions of chunks may reach is told to this process, and not to its successor.
 *
 * @throws HoldfastError UPGRADE_FAILED naming them
 */
function requireNoChunks(sessions: readonly Session[]): void {
  const ofChunks = sessions.filter(({ chunks }) => chunks !== undefined);
  if (ofChunks.length === 0) return;
  throw new HoldfastError(
    'UPGRADE_FAILED',
    `the worker was not upgraded, and everything goes on as before: ${named(ofChunks)} ${ofChunks.length === 1 ? 'is' : 'are'} served chunks, which cannot be handed over; end them first`,
    { sessions: named(ofChunks) },
  );
}

/** What does not come to rest, in words. */
export function unrest(callsUnderWay: number, sessions: readonly Session[]): string {
  const seconds = String(REST_MS / 1000);
  if (callsUnderWay > 0) {
    return `after ${seconds} s, ${String(callsUnderWay)} calls of registry or gateway were still under way`;
  }
  const prepared = sessions.filter(({ state }) => state.kind === 'prepared');
  if (prepared.length > 0) return `after ${seconds} s, the sockets of ${named(prepared)} had not come`;
  const busy = sessions.filter(({ state }) => state.kind === 'serving');
  return `after ${seconds} s, ${named(busy)} ${busy.length === 1 ? 'was' : 'were'} still in the middle of a request: its client sends the rest of a WRITE or reads answers too slowly, or its device does not answer`;
}

function named(sessions: readonly Session[]): string {
  const names = sessions.slice(0, NAMED_MAX).map(({ definition }) => definition.name);
  const more = sessions.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${String(more)} more` : '');
}
