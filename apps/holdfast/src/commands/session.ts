import { gatewayV1 } from '@holdfast/contracts';
import { Command } from 'commander';
import { printJson, printTable } from '../output/print.js';
import { formatSize, lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

export function sessionCommand(): Command {
  const command = new Command('session').description('See who is connected');
  forInstance(command.command('list').description('List connected clients')).action(
    (options: CommonOptions) =>
      withInstance(options, async (instance) => {
        const sessions = await instance.listSessions();
        if (options.json === true) printJson(sessions.map((session) => gatewayV1.Session.toJSON(session)));
        else {
          const headings = [
            'SESSION',
            'STATE',
            'CLIENT',
            'EXPORT',
            'ENGINE',
            'REQUESTS',
            'READ',
            'WRITTEN',
            'ERRORS',
          ];
          printTable(headings, sessions.map(row));
        }
      }),
  );
  return command;
}

function row(session: gatewayV1.Session): string[] {
  return [
    lastSegment(session.name),
    session.state === gatewayV1.Session_State.STATE_SERVING ? 'serving' : 'negotiating',
    session.clientAddress,
    lastSegment(session.export),
    session.engine,
    session.requests.toString(),
    formatSize(session.bytesRead),
    formatSize(session.bytesWritten),
    session.errors.toString(),
  ];
}
