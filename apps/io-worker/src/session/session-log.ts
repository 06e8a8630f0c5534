import type { Logger } from '@holdfast/service';
import type { Session, SessionEnd } from './session.js';

/** The socket of a session has come, and an engine takes it: who came for what. */
export function logOpened(logger: Logger, session: Session): void {
  const { lease, readOnly } = session.definition;
  logger.info({ ...factsOf(session), lease: String(lease), readOnly }, 'session opened');
}

/** No request of a session is under way any more: what it did, and why it is over. */
export function logClosed(logger: Logger, session: Session, reason: SessionEnd): void {
  const durationMs = Date.now() - session.definition.startTime.getTime();
  const { requests, bytesRead, bytesWritten, errors } = session.control.counters;
  const done = { requests, bytesRead, bytesWritten, errors };
  logger.info({ ...factsOf(session), reason, durationMs, ...done }, 'session closed');
}

function factsOf({ definition, state }: Session) {
  const { name, exportName, clientAddress } = definition;
  const engine = state.kind === 'serving' ? { engine: state.engine } : {};
  return { session: name, export: exportName, clientAddress, ...engine };
}
