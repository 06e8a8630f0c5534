import type { Buffer } from 'node:buffer';
import { HoldfastError } from '@holdfast/foundation';
import type { ReplyMode } from '@holdfast/nbd-protocol';
import { PeerFault } from './peer-fault.js';
import { allModes, type Probe } from './probe.js';
import { probes } from './probes/all.js';
import { regionOf, restore, save } from './server/region.js';
import { isUnreachable, Server, type Region } from './server/server.js';
import { survey } from './server/survey.js';
import { Trial } from './trial.js';
import type { Evidence, Outcome, Verdict } from './verdict.js';

export interface CheckOptions {
  /** Only these, such as `N7` and `T4`. Default all. */
  readonly rules?: readonly string[];
  /** Also what writes to the export, within {@link Region} of it, which is written back afterwards. Default false. */
  readonly write?: boolean;
  /** Longest wait for one answer, milliseconds. */
  readonly answerMs?: number;
  /** Told before the first write, of what will be overwritten and what it holds. */
  readonly onRegion?: (region: Region, saved: Uint8Array) => void;
  /** Told of each verdict as it falls. */
  readonly onVerdict?: (verdict: Verdict) => void;
  /** Ends the check behind the rule that is tried; what was overwritten is still written back. */
  readonly signal?: AbortSignal;
}

/** What a check came to. */
export interface CheckResult {
  readonly verdicts: readonly Verdict[];
  /** Why what was overwritten could not be written back; undefined when it was, or nothing was overwritten. */
  readonly notRestored: string | undefined;
}

/**
 * Holds a server to the rules of the protocol, over connections of its own.
 *
 * @throws HoldfastError NBD_URI_INVALID, INVALID_ARGUMENT for a rule that there is not, NBD_SERVER_UNREACHABLE,
 *   NBD_TLS_FAILED, and NBD_OPTION_REFUSED and NBD_PROTOCOL_VIOLATION when there is no way into transmission
 */
export async function check(uri: string, options: CheckOptions = {}): Promise<CheckResult> {
  const chosen = choose(options.rules);
  const server = await Server.at(uri, options.answerMs);
  await survey(server);
  const facts = server.modes.get('simple') ?? [...server.modes.values()][0];
  if (options.write !== true || facts === undefined) {
    return { verdicts: await judgeAll(server, chosen, options), notRestored: undefined };
  }
  const region = regionOf(facts);
  const saved = await saveOrExplain(server, region);
  options.onRegion?.(region, saved);
  server.region = region;
  const verdicts = await judgeAll(server, chosen, options).catch(async (error: unknown) => {
    await writeBack(server, region, saved);
    throw error;
  });
  return { verdicts, notRestored: await writeBack(server, region, saved) };
}

/** What cannot be read is not overwritten. */
async function saveOrExplain(server: Server, region: Region): Promise<Buffer> {
  try {
    return await save(server, region);
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error;
    const sentence = `nothing was written, because what would be overwritten cannot be read (${error.message}): check without writing first`;
    throw new HoldfastError('NBD_PROTOCOL_VIOLATION', sentence, {}, error);
  }
}

/** @returns why it could not be done */
async function writeBack(server: Server, region: Region, saved: Buffer): Promise<string | undefined> {
  try {
    await restore(server, region, saved);
    return undefined;
  } catch (error) {
    if (!(error instanceof PeerFault || error instanceof HoldfastError)) throw error;
    return error.message;
  }
}

function choose(rules: readonly string[] | undefined): readonly Probe[] {
  if (rules === undefined) return probes;
  for (const rule of rules) {
    if (!probes.some((probe) => probe.rule === rule)) {
      const sentence = `there is no rule ${rule}: rules are N1 to N12 and T1 to T19`;
      throw new HoldfastError('INVALID_ARGUMENT', sentence, { rule });
    }
  }
  return probes.filter((probe) => rules.includes(probe.rule));
}

async function judgeAll(
  server: Server,
  chosen: readonly Probe[],
  { onVerdict, signal }: CheckOptions,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const [probe, mode] of inOrder(chosen)) {
    if (signal?.aborted === true) break;
    const { rule, title } = probe;
    const verdict = { rule, title, mode, ...(await judge(server, probe, mode)) };
    verdicts.push(verdict);
    onVerdict?.(verdict);
  }
  server.leaveIdle();
  return chosen.flatMap(({ rule }) => verdicts.filter((verdict) => verdict.rule === rule));
}

/** Mode by mode, so that many rules are tried on one connection. */
function inOrder(chosen: readonly Probe[]): (readonly [Probe, ReplyMode | undefined])[] {
  return [undefined, ...allModes].flatMap((mode) =>
    chosen
      .filter(({ modes }) => (mode === undefined ? modes.length === 0 : modes.includes(mode)))
      .map((probe) => [probe, mode] as const),
  );
}

async function judge(server: Server, probe: Probe, mode: ReplyMode | undefined): Promise<Outcome> {
  if (probe.untriable !== undefined) return { outcome: 'not tried', reason: probe.untriable };
  if (mode !== undefined && !server.modes.has(mode)) {
    return { outcome: 'not offered', reason: `${modeName[mode]} are not offered` };
  }
  const trial = new Trial(server, mode);
  try {
    const outcome = await trial.judge(probe.run);
    // A server that has just broken a rule may have died of it, which is for the rule to tell.
    return outcome.outcome === 'broken' && (await server.isGone()) ? withEnd(outcome) : outcome;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { outcome: 'not tried', reason: `the server takes no connections any more (${error.message})` };
  }
}

function withEnd({ evidence }: Extract<Outcome, { outcome: 'broken' }>): Outcome {
  const sent = evidence.at(-1)?.sent ?? '';
  const end: Evidence = {
    strength: 'MUST',
    sent: `${sent}; then another connection`,
    expected: 'a server that greets',
    got: 'none does any more',
    section: 'Terminating the transmission phase',
  };
  return { outcome: 'broken', strength: 'MUST', evidence: [end, ...evidence] };
}

const modeName: Readonly<Record<ReplyMode, string>> = {
  simple: 'simple replies',
  structured: 'structured replies',
  extended: 'extended headers',
};
