import { createClient, durationMs, supervisorV1, workerV1 } from '@holdfast/contracts';
import { counted } from '@holdfast/foundation';
import { Command } from 'commander';
import { resolveLayout } from '../client/endpoints.js';
import { printFacts, printJson } from '../output/print.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

/** Longer than the supervisor waits for a new worker. */
const UPGRADE_DEADLINE_MS = 120_000;

export function workerCommand(): Command {
  const command = new Command('worker').description('See the I/O worker, and replace it while clients go on');

  forInstance(command.command('show').description('Show the I/O worker')).action((options: CommonOptions) =>
    withInstance(options, async ({ worker }) => {
      print(await worker.getWorker({}), options);
    }),
  );

  forInstance(
    command
      .command('upgrade')
      .description('Replace the I/O worker by a new process, which takes over its devices and clients'),
  )
    .addHelpText(
      'after',
      '\nNo client is disconnected: requests wait for a moment. If the new process cannot take over, the old one goes on.',
    )
    .action(async (options: CommonOptions) => {
      const address = `unix:${resolveLayout(options.state).supervisorSocket}`;
      const supervisor = createClient(supervisorV1.SupervisorServiceService, address);
      try {
        print(await supervisor.upgradeWorker({}, { deadlineMs: UPGRADE_DEADLINE_MS }), options);
      } finally {
        supervisor.close();
      }
    });
  return command;
}

function print(worker: workerV1.Worker, { json }: CommonOptions): void {
  if (json === true) printJson(workerV1.Worker.toJSON(worker));
  else printFacts(facts(worker));
}

function facts(worker: workerV1.Worker): Record<string, string> {
  const { threads, threadsBusy, eventLoopSessions, takeover } = worker;
  return {
    pid: String(worker.pid),
    version: worker.version,
    since: worker.startTime?.toISOString() ?? '',
    threads: `${String(threadsBusy)} of ${String(threads)} serve a session`,
    'event loop': counted(eventLoopSessions, 'session'),
    ...(takeover !== undefined && { 'took over': describe(takeover) }),
  };
}

function describe({ fromPid, sessions, devices, pause, takeTime }: workerV1.Takeover): string {
  const pauseMs = durationMs('pause', pause, Number.MAX_SAFE_INTEGER);
  const what = `${counted(sessions, 'session')} and ${counted(devices, 'device')}`;
  return `${what} from pid ${String(fromPid)} at ${takeTime?.toISOString() ?? ''}, nobody was served for ${String(pauseMs)} ms`;
}
