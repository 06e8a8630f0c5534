import { gatewayV1, sessionName } from '@holdfast/contracts';
import { Command } from 'commander';
import { printFacts, printJson, printTable } from '../output/print.js';
import { formatSize, lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

const { ReplyMode, Session } = gatewayV1;

const HEADINGS = ['SESSION', 'STATE', 'CLIENT', 'EXPORT', 'ENGINE', 'REQUESTS', 'READ', 'WRITTEN', 'ERRORS'];

export function sessionCommand(): Command {
  const command = new Command('session').description('See who is connected');

  forInstance(command.command('list').description('List connected clients')).action(
    (options: CommonOptions) =>
      withInstance(options, async (instance) => {
        const sessions = await instance.listSessions();
        if (options.json === true) printJson(sessions.map((session) => Session.toJSON(session)));
        else printTable(HEADINGS, sessions.map(row));
      }),
  );

  forInstance(
    command.command('show <name>').description('Show one connected client, and what was negotiated with it'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ sessions }) => {
      const session = await sessions.getSession({ name: sessionName.format(name) });
      if (options.json === true) printJson(Session.toJSON(session));
      else printFacts(facts(session));
    }),
  );
  return command;
}

/** Of a client in the handshake there is little to tell. */
function facts(session: gatewayV1.Session): Record<string, string> {
  const known = {
    name: lastSegment(session.name),
    state: stateOf(session),
    client: session.clientAddress,
    since: session.startTime?.toISOString() ?? '',
  };
  if (!isServing(session)) return known;
  return {
    ...known,
    export: lastSegment(session.export),
    device: lastSegment(session.device),
    lease: lastSegment(session.lease),
    mode: session.readOnly ? 'read-only' : 'read-write',
    tls: session.tls ? 'yes' : 'no',
    replies: replyModeOf(session),
    contexts: session.metaContexts.map(({ name }) => name).join(', ') || 'none',
    'block size': `minimum ${size(session.blockSizeMinimum)}, payload at most ${size(session.payloadMaximum)}`,
    engine: session.engine,
    requests: session.requests.toString(),
    read: formatSize(session.bytesRead),
    written: formatSize(session.bytesWritten),
    errors: session.errors.toString(),
  };
}

function row(session: gatewayV1.Session): string[] {
  return [
    lastSegment(session.name),
    stateOf(session),
    session.clientAddress,
    lastSegment(session.export),
    session.engine,
    session.requests.toString(),
    formatSize(session.bytesRead),
    formatSize(session.bytesWritten),
    session.errors.toString(),
  ];
}

function isServing({ state }: gatewayV1.Session): boolean {
  return state === gatewayV1.Session_State.STATE_SERVING;
}

function stateOf(session: gatewayV1.Session): string {
  return isServing(session) ? 'serving' : 'negotiating';
}

/** `simple`, `structured`, `extended`. */
function replyModeOf({ replyMode }: gatewayV1.Session): string {
  const name = Object.entries(ReplyMode).find(([, value]) => value === replyMode)?.[0] ?? 'UNKNOWN';
  return name.replace('REPLY_MODE_', '').toLowerCase();
}

function size(bytes: number): string {
  return formatSize(BigInt(bytes));
}
