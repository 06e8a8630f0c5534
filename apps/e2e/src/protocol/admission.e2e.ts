import { gatewayV1 } from '@holdfast/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/instance-facts.js';
import { transports, type Transport } from '../support/ready-line.js';
import { askOption, enter, errorOf, greet, readOptionReplies } from './conversation.js';
import { timesHit } from './limits-hit.js';
import { Cmd, Err, Info, Opt, Rep } from './spec-numbers.js';
import { go, infoData, option } from './wire.js';
import { serving } from './serving.js';

const suite = serving();
const own = { tcp: '127.0.0.1', unix: `uid:${String(process.getuid?.())}` };
const other = { tcp: 'unix', unix: 'tcp' } as const satisfies Record<Transport, Transport>;

/** Publishes the disk once more. */
function publish(exportId: string, change: Partial<gatewayV1.Export>): Promise<gatewayV1.Export> {
  const { gatewaySocket } = suite.holdfast.layout;
  return ask(gatewayV1.ExportServiceService, gatewaySocket, (client) =>
    client.createExport({
      exportId,
      export: gatewayV1.Export.fromPartial({ device: 'devices/disk.img', ...change }),
    }),
  );
}

beforeAll(async () => {
  await publish('hidden', { hidden: true });
  await publish('secret', { tlsRequired: true });
  for (const transport of transports) await publish(`for-${transport}`, { allowedClients: [own[transport]] });
  await publish('one-each', { clientConnectionsMax: 1 });
  const sizes = { minimum: 4096, preferred: 4096, payloadMaximum: 1_048_576 };
  await publish('blocks', { blockSize: { ...sizes, required: false } });
  await publish('ask-blocks', { blockSize: { ...sizes, required: true } });
});

describe.each(transports)('who is let in over %s', (transport) => {
  it('N4 N12 who is not allowed is told ERR_POLICY, and LIST says nothing of it', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    client.send(option(Opt.LIST));
    const names = (await readOptionReplies(client))
      .filter(({ type }) => type === Rep.SERVER)
      .map(({ data }) => data.subarray(4).toString());
    expect(names).toEqual(['ask-blocks', 'blocks', 'disk.img', `for-${transport}`, 'one-each']);
    const foreign = `for-${other[transport]}`;
    expect((await askOption(client, option(Opt.INFO, infoData(foreign)))).type).toBe(Rep.ERR_POLICY);
    expect((await askOption(client, go(foreign))).type).toBe(Rep.ERR_POLICY);
    expect((await askOption(client, go('secret'))).type).toBe(Rep.ERR_POLICY);
    expect((await askOption(client, go(`for-${transport}`))).type).toBe(Rep.ACK);
  });

  it('N4 a hidden export is served to who knows its name', async () => {
    const client = await suite.enter('hidden', transport);
    expect(await errorOf(client, { type: Cmd.READ, offset: 0, length: 512 })).toBe(Err.OK);
  });

  it('N3 EXPORT_NAME of who is not allowed ends the connection', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    client.send(option(Opt.EXPORT_NAME, `for-${other[transport]}`));
    expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
  });

  it('N10 one client has the sessions that it may have, and no more', async () => {
    const before = await timesHit(suite, 'export-client-connections');
    await suite.enter('one-each', transport);
    await suite.enter('one-each', other[transport]);
    const client = await suite.connect(transport);
    await greet(client);
    expect((await askOption(client, go('one-each'))).type).toBe(Rep.ERR_POLICY);
    expect(await timesHit(suite, 'export-client-connections')).toBe(before + 1);
  });
});

describe.each(transports)('block sizes of an export over %s', (transport) => {
  it('T5 are told, and enforced for who did not ask', async () => {
    const client = await suite.enter('blocks', transport);
    expect(await errorOf(client, { type: Cmd.READ, offset: 0, length: 4096 })).toBe(Err.OK);
    expect(await errorOf(client, { type: Cmd.READ, offset: 512, length: 512 })).toBe(Err.EINVAL);
    expect(await errorOf(client, { type: Cmd.READ, offset: 0, length: 2_097_152 })).toBe(Err.EINVAL);
  });

  it('T5 may have to be asked for', async () => {
    const client = await suite.connect(transport);
    await greet(client);
    client.send(go('ask-blocks'));
    const replies = await readOptionReplies(client);
    expect(replies.map(({ type }) => type)).toEqual([Rep.INFO, Rep.ERR_BLOCK_SIZE_REQD]);
    expect(replies[0]?.data.toString('hex')).toBe('0003' + '00001000' + '00001000' + '00100000');
    expect((await askOption(client, go('ask-blocks', Info.BLOCK_SIZE))).type).toBe(Rep.ACK);
    const without = await suite.connect(transport);
    await expect(enter(without, 'ask-blocks')).rejects.toThrow();
  });
});
