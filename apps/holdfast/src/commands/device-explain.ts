import { deviceName, registryV1 } from '@holdfast/contracts';
import type { Instance } from '../client/instance.js';
import { counted, HoldfastError } from '@holdfast/foundation';
import { Command } from 'commander';
import { printJson, printTable } from '../output/print.js';
import { formatSize, lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { formatAge } from './format-age.js';

const { ReleaseExplanation } = registryV1;

export function explainCommand(): Command {
  return forInstance(
    new Command('explain')
      .description('Tell what keeps a device from being detached')
      .argument('<name>', 'the device'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async (instance) => {
      const explanation = await instance.devices.explainRelease({ name: deviceName.format(name) });
      if (options.json === true) {
        printJson(ReleaseExplanation.toJSON(explanation));
        return;
      }
      const chains = new Map<string, readonly string[]>();
      for (const { holder } of explanation.reservations) chains.set(holder, await chainOf(instance, holder));
      show(explanation, chains, new Date());
    }),
  );
}

/** What keeps an allocator, which keeps a device; nothing, while the allocator-verifier cannot be asked. */
async function chainOf({ allocators }: Instance, holder: string): Promise<readonly string[]> {
  try {
    return (await allocators.explainAllocator({ name: holder })).chain;
  } catch (error) {
    if (error instanceof HoldfastError) return [];
    throw error;
  }
}

function show(
  { device, leases, holders, leakedPins, reservations }: registryV1.ReleaseExplanation,
  chains: ReadonlyMap<string, readonly string[]>,
  now: Date,
): void {
  const name = lastSegment(device?.name ?? '');
  if (leases.length + holders.length + reservations.length === 0 && leakedPins === 0n) {
    process.stdout.write(`nothing keeps ${name} from being detached\n`);
    return;
  }
  if (leases.length > 0) {
    printTable(
      ['SESSION', 'CLIENT', 'EXPORT', 'AGE', 'REQUESTS', 'LAST REQUEST', 'STATE', 'PINS'],
      leases.map((lease) => [
        lastSegment(lease.session),
        lease.clientAddress === '' ? '-' : lease.clientAddress,
        lastSegment(lease.export),
        formatAge(lease.createTime, now),
        lease.requests.toString(),
        lease.lastRequestTime === undefined ? 'none yet' : `${formatAge(lease.lastRequestTime, now)} ago`,
        lease.fenced ? 'being cut off' : 'live',
        pinsText(lease, now),
      ]),
    );
  }
  if (leakedPins > 0n) {
    process.stdout.write(
      `${counted(leakedPins, 'pin')} of sessions that are over keep ${name} from being let go until the worker ends: see holdfast ledger show\n`,
    );
  }
  for (const { holder, createTime } of reservations) {
    process.stdout.write(
      `${holder} has reserved ${name} for ${formatAge(createTime, now)}, and keeps it attached\n`,
    );
    for (const link of chains.get(holder) ?? []) process.stdout.write(`  ${link}\n`);
  }
  for (const { pid, program } of holders) {
    process.stdout.write(
      `${program} (pid ${String(pid)}) has the device open; that does not keep it attached\n`,
    );
  }
}

/** `none`, or how much of its requests is in flight, and for how long. */
function pinsText({ pins, pinnedBytes, oldestPinTime }: registryV1.LeaseBlocker, now: Date): string {
  if (pins === 0n) return 'none';
  return `${pins.toString()} (${formatSize(pinnedBytes)}, ${formatAge(oldestPinTime, now)})`;
}
