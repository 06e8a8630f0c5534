import { deviceName, registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import { Command } from 'commander';
import { verifiedNode } from '../device-node/verified-node.js';
import { printJson } from '../output/print.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';

const { STATE_CONNECTED } = registryV1.Attachment_State;

export function nodeCommand(): Command {
  return forInstance(
    new Command('node')
      .description('Print node, major:minor and diskseq of an attached block device, once verified')
      .argument('<name>', 'the device'),
  )
    .addHelpText(
      'after',
      '\nThe node is opened and compared with what is attached. One line, for scripts:\n  /dev/loop3 7:3 1f rw',
    )
    .action((name: string, options: CommonOptions) =>
      withInstance(options, async ({ devices }) => {
        const { attachment, readOnly } = await devices.getDevice({ name: deviceName.format(name) });
        if (attachment?.state !== STATE_CONNECTED || attachment.identity === undefined) {
          throw new HoldfastError(
            'DEVICE_NOT_ATTACHED',
            `the device "${name}" is not attached, so it has no node to rely on: holdfast device attach ${name}`,
            { device: name },
          );
        }
        const found = verifiedNode(name, attachment.identity, { readOnly });
        const { node, major, minor, diskseq } = found;
        const mode = found.readOnly ? 'ro' : 'rw';
        if (options.json === true) printJson(found);
        else process.stdout.write(`${node} ${String(major)}:${String(minor)} ${diskseq} ${mode}\n`);
      }),
    );
}
