import type { Account, OwnedViolation, PinLedger } from '@holdfast/pin-ledger';
import type { Logger } from '@holdfast/service';
import { bufferName, Site, siteName } from './pin-sites.js';

/**
 * Closes the account of a session that is over, and logs what was wrong with it.
 *
 * @returns whether it balanced
 */
export function settleSession(ledger: PinLedger, account: Account, logger: Logger): boolean {
  const violations = ledger.close(account, Site['session.end']);
  for (const violation of violations)
    logger.error(factsOf(violation), 'the pins of a session do not balance');
  return violations.length === 0;
}

function factsOf({
  owner,
  kind,
  variant,
  buffer,
  acquireSite,
  releaseSite,
  segments,
  bytes,
}: OwnedViolation) {
  return {
    session: owner.session,
    attachment: owner.device,
    violation: kind,
    variant,
    buffer: bufferName(buffer),
    acquireSite: siteName(acquireSite),
    releaseSite: siteName(releaseSite),
    segments,
    bytes,
  };
}
