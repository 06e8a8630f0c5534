import { durationMs, formatPageToken, parsePage, workerV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { GrpcController, type GrpcControllerOf } from '@holdfast/service';
import { map, timer, type Observable } from 'rxjs';
import { pinName, toLedgerMessage, toPinMessage } from './ledger-message.js';
import { LedgerService } from './ledger.service.js';
import { everything, pinsOfDevice, pinsOfSession, type PinFilter } from './pin-filter.js';

/** Longest wait for quiet: a caller who waits longer asks again. */
const QUIESCE_MS_MAX = 60_000;

/** A watcher that looks ten times a second costs next to nothing; more often, nobody can read. */
const WATCH_MS_MIN = 100;
const WATCH_MS_MAX = 60 * 60 * 1000;
const WATCH_MS_DEFAULT = 1_000;

/** Pins that one answer to Quiesce tells of: what keeps a device is told by the first few. */
const LEFT_TOLD = 1000;

@GrpcController(workerV1.LedgerServiceService)
export class LedgerController implements GrpcControllerOf<workerV1.LedgerServiceService> {
  constructor(private readonly service: LedgerService) {}

  getLedger(): workerV1.Ledger {
    return toLedgerMessage(this.service.ledger);
  }

  listPins(request: workerV1.ListPinsRequest): workerV1.ListPinsResponse {
    const { pageSize, after } = parsePage(request);
    const following = this.service
      .pins(filterOf(request))
      .filter((pins) => after === undefined || pinName(pins) > after);
    const page = following.slice(0, pageSize);
    const last = page.at(-1);
    const hasMore = following.length > page.length && last !== undefined;
    return {
      pins: page.map(toPinMessage),
      nextPageToken: formatPageToken(hasMore ? pinName(last) : undefined),
    };
  }

  watchLedger({ interval }: workerV1.WatchLedgerRequest): Observable<workerV1.Ledger> {
    const intervalMs =
      interval === undefined ? WATCH_MS_DEFAULT : durationMs('interval', interval, WATCH_MS_MAX);
    if (intervalMs < WATCH_MS_MIN) {
      throw new HoldfastError('INVALID_ARGUMENT', 'interval must be 0.1 to 3600 seconds', {
        field: 'interval',
      });
    }
    return timer(0, intervalMs).pipe(map(() => this.getLedger()));
  }

  async quiesce({ target, timeout }: workerV1.QuiesceRequest): Promise<workerV1.QuiesceResponse> {
    if (target === undefined) {
      throw new HoldfastError('INVALID_ARGUMENT', 'target must be a device or a session', {
        field: 'target',
      });
    }
    const filter = target.$case === 'device' ? pinsOfDevice(target.value) : pinsOfSession(target.value);
    const left = await this.service.quiesce(filter, durationMs('timeout', timeout, QUIESCE_MS_MAX));
    return { pins: left.slice(0, LEFT_TOLD).map(toPinMessage) };
  }
}

/** Whatever is named must fit. */
function filterOf({ device, session }: workerV1.ListPinsRequest): PinFilter {
  const ofDevice = device === '' ? everything : pinsOfDevice(device);
  const ofSession = session === '' ? everything : pinsOfSession(session);
  return (owner) => ofDevice(owner) && ofSession(owner);
}
