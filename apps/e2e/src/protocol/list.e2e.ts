import { gatewayV1 } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import { makeImage, MIB } from '../support/image.js';
import { ask } from '../support/instance-facts.js';
import { transports } from '../support/ready-line.js';
import { askOption, greet, readOptionReplies } from './conversation.js';
import { serving } from './serving.js';
import { Opt, Rep } from './spec-numbers.js';
import { option, optionReply, uint32 } from './wire.js';

const suite = serving({
  images: () => [makeImage(MIB, { name: 'one.img' }), makeImage(MIB, { name: 'zwei ü.img' })],
});

function serverReply(name: string, description = ''): Buffer {
  const nameBytes = Buffer.from(name);
  const data = Buffer.concat([uint32(nameBytes.length), nameBytes, Buffer.from(description)]);
  return optionReply(Opt.LIST, Rep.SERVER, data);
}

describe.each(transports)('LIST over %s', (transport) => {
  it('N4 LIST is answered with one SERVER for each export, then ACK', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    const expected = [serverReply('one.img'), serverReply('zwei ü.img'), optionReply(Opt.LIST, Rep.ACK)];
    for (let round = 0; round < 3; round++) {
      client.send(option(Opt.LIST));
      expect(await client.read(Buffer.concat(expected).length)).toEqual(Buffer.concat(expected));
    }
  });

  it.each([1, 4, 5000])(
    'N4 LIST with %i bytes of data is ERR_INVALID, and they are skipped',
    async (length) => {
      const client = await suite.connect(transport);
      await greet(client);
      const refused = await askOption(client, option(Opt.LIST, Buffer.alloc(length, 1)));
      expect([refused.option, refused.type]).toEqual([Opt.LIST, Rep.ERR_INVALID]);
      expect((await askOption(client, option(Opt.LIST))).type).toBe(Rep.ACK);
    },
  );

  it('N4 LIST tells what is exported at that moment, with its description', async () => {
    const { gatewaySocket } = suite.holdfast.layout;
    const exports = gatewayV1.ExportServiceService;
    const client = await suite.connect(transport);
    await greet(client);
    await ask(exports, gatewaySocket, (service) =>
      service.createExport({
        exportId: 'another',
        export: gatewayV1.Export.fromPartial({
          device: 'devices/one.img',
          description: 'the first once more',
        }),
      }),
    );
    const [another] = await listed();
    expect(another).toEqual(serverReply('another', 'the first once more').subarray(20));
    await ask(exports, gatewaySocket, (service) => service.deleteExport({ name: 'exports/another' }));
    expect(await listed()).toHaveLength(2);

    async function listed(): Promise<Buffer[]> {
      client.send(option(Opt.LIST));
      const replies = await readOptionReplies(client);
      return replies.filter(({ type }) => type === Rep.SERVER).map(({ data }) => data);
    }
  });
});
