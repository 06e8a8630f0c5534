import { check, type CheckOptions, type Region, type Verdict } from '@holdfast/nbd-conformance';
import { ExitCode } from '../../exit-code.js';
import { printJson, printNote } from '../../output/print.js';
import { countsOf, printVerdicts } from './print-verdicts.js';
import { notRestored } from './saved-region.js';

export interface RunOptions extends Pick<CheckOptions, 'rules' | 'write' | 'answerMs'> {
  readonly json: boolean;
}

/**
 * Checks a server and prints what came of it. The first ^C or SIGTERM ends the check behind the rule that is tried.
 *
 * @throws HoldfastError those of `check`, and NBD_REQUEST_FAILED when what was overwritten could not be written back
 */
export async function runCheck(uri: string, { json, ...options }: RunOptions): Promise<ExitCode> {
  const stop = new AbortController();
  const onSignal = () => {
    stop.abort();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  let overwritten: { readonly region: Region; readonly saved: Uint8Array } | undefined;
  try {
    const result = await check(uri, {
      ...options,
      signal: stop.signal,
      onRegion: (region, saved) => {
        overwritten = { region, saved };
        printNote(
          `writing to ${region.length} bytes from offset ${region.offset} of the export; they are written back at the end`,
          json,
        );
      },
    });
    print(uri, result.verdicts, json);
    if (result.notRestored !== undefined && overwritten !== undefined) {
      throw notRestored(result.notRestored, overwritten.region, overwritten.saved);
    }
    if (stop.signal.aborted) return ExitCode.interrupted;
    return result.verdicts.some(({ outcome }) => outcome === 'broken') ? ExitCode.no : ExitCode.done;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function print(uri: string, verdicts: readonly Verdict[], json: boolean): void {
  if (!json) printVerdicts(verdicts);
  else {
    printJson({
      uri,
      counts: countsOf(verdicts),
      verdicts: verdicts.map((verdict) => ({ ...verdict, mode: verdict.mode ?? null })),
    });
  }
}
