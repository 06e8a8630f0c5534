import { beforeAll, describe, expect, it } from 'vitest';
import { ask, askOption, goTo, greet, readBytes, readOptionReplies } from '../protocol/conversation.js';
import { expectBytes } from '../protocol/expect-bytes.js';
import type { RawClient } from '../protocol/raw-client.js';
import { serving } from '../protocol/serving.js';
import { Cmd, Err, Opt, Rep } from '../protocol/spec-numbers.js';
import { clientFlags, contextData, go, GREETING, infoData, option, optionReply } from '../protocol/wire.js';
import { makeImage, MIB } from '../support/image.js';
import { transports } from '../support/ready-line.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { makeCredentials, serveArgs } from './credentials.js';
import { beginTls, byCertificate, startTls } from './tls-client.js';

const credentials = await makeCredentials('vm1');
const identity = byCertificate(credentials, 'vm1');

/** Options that have nothing to do with TLS, with data that they take. */
const otherOptions = [
  [Opt.LIST, ''],
  [Opt.PEEK_EXPORT, ''],
  [Opt.INFO, infoData('disk.img')],
  [Opt.GO, infoData('disk.img')],
  [Opt.STRUCTURED_REPLY, ''],
  [Opt.LIST_META_CONTEXT, contextData('disk.img')],
  [Opt.SET_META_CONTEXT, contextData('disk.img', 'base:allocation')],
  [Opt.EXTENDED_HEADERS, ''],
  [99, 'whatever'],
] as const;

async function listed(client: RawClient): Promise<string[]> {
  client.send(option(Opt.LIST));
  const replies = await readOptionReplies(client);
  return replies.filter(({ type }) => type === Rep.SERVER).map(({ data }) => data.subarray(4).toString());
}

describe('a server with TLS for every client', () => {
  const suite = serving({ args: serveArgs(credentials, 'required') });

  describe.each(transports)('over %s', (transport) => {
    it.each(otherOptions)('N8 answers TLS_REQD to option %i, its data skipped', async (code, data) => {
      const client = await suite.connect(transport);
      await greet(client);
      // The second looks like options, and is longer than any that is read.
      for (const bytes of [data, Buffer.alloc(70_000, option(Opt.ABORT))]) {
        expect(await askOption(client, option(code, bytes))).toMatchObject({
          option: code,
          type: Rep.ERR_TLS_REQD,
        });
      }
      const secured = await startTls(client, identity);
      expect(await listed(secured)).toEqual(['disk.img']);
    });

    it('N8 closes on EXPORT_NAME without a reply, whatever the client flags', async () => {
      for (const flags of [0, 1, 2, 3]) {
        const client = await suite.connect(transport);
        await greet(client, flags);
        client.send(option(Opt.EXPORT_NAME, 'disk.img'));
        expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
      }
    });

    it('N8 acknowledges ABORT', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      client.send(option(Opt.ABORT));
      expect(await client.readToEnd()).toEqual(optionReply(Opt.ABORT, Rep.ACK));
    });

    it('N8 serves inside TLS, and nothing there is TLS_REQD', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      const secured = await startTls(client, identity);
      for (const [code, data] of otherOptions.filter(([one]) => one !== Opt.GO)) {
        const { type } = await askOption(secured, option(code, data));
        expect(type).not.toBe(Rep.ERR_TLS_REQD);
      }
    });

    it('N8 serves EXPORT_NAME inside TLS', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      const secured = await startTls(client, identity);
      secured.send(option(Opt.EXPORT_NAME, 'disk.img'));
      expect((await secured.read(10)).readBigUInt64BE(0)).toBe(8n * BigInt(MIB));
      expectBytes(await readBytes(secured, 4096, 65_536), suite.imageBytes(4096, 65_536));
    });

    it('N7 answers a STARTTLS with data, and a second one, by ERR_INVALID', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      for (const data of ['x', Buffer.alloc(70_000)]) {
        expect((await askOption(client, option(Opt.STARTTLS, data))).type).toBe(Rep.ERR_INVALID);
      }
      const secured = await startTls(client, identity);
      for (const data of ['', 'x']) {
        expect((await askOption(secured, option(Opt.STARTTLS, data))).type).toBe(Rep.ERR_INVALID);
      }
      await goTo(secured);
      expectBytes(await readBytes(secured, 0, MIB), suite.imageBytes(0, MIB));
    });

    // CVE-2021-3716: what stands behind STARTTLS may be anybody's, and must not count as the client's own.
    it.each([
      ['an option', option(Opt.STRUCTURED_REPLY)],
      [
        'half an option',
        option(Opt.SET_META_CONTEXT, contextData('disk.img', 'base:allocation')).subarray(0, 20),
      ],
      ['a GO', go('disk.img')],
      ['an ABORT', option(Opt.ABORT)],
      ['another STARTTLS', option(Opt.STARTTLS)],
      ['30 kB of options', Buffer.alloc(1500 * 20, option(Opt.LIST))],
    ])('N7 drops plain text behind STARTTLS: %s', async (_what, injected) => {
      const client = await suite.connect(transport);
      expect(await client.read(GREETING.length)).toEqual(GREETING);
      client.send(clientFlags(), option(Opt.STARTTLS), injected);
      expect(await client.read(20)).toEqual(optionReply(Opt.STARTTLS, Rep.ACK));
      const secured = await beginTls(client, identity);
      // Had anything been taken, its answer would come first.
      expect((await askOption(secured, option(99, 'first'))).option).toBe(99);
      expect((await askOption(secured, option(Opt.SET_META_CONTEXT, contextData('disk.img')))).type).toBe(
        Rep.ERR_INVALID,
      );
    });
  });
});

describe('a server with TLS for some exports', () => {
  const suite = serving({ args: serveArgs(credentials, 'per-export') });

  beforeAll(async () => {
    const policy = ['--device', 'disk.img', '--tls-required'];
    expect((await suite.holdfast.cli('export', 'add', 'secret', ...policy)).code).toBe(0);
  });

  describe.each(transports)('over %s', (transport) => {
    it('N8 tells without TLS neither that an export needs it nor that there is one', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      expect(await listed(client)).toEqual(['disk.img']);
      for (const code of [Opt.INFO, Opt.GO]) {
        const secret = await askOption(client, option(code, infoData('secret')));
        expect(secret.type).toBe(Rep.ERR_TLS_REQD);
        expect(await askOption(client, option(code, infoData('absent')))).toEqual(secret);
      }
      expect((await askOption(client, option(Opt.STRUCTURED_REPLY))).type).toBe(Rep.ACK);
      for (const code of [Opt.LIST_META_CONTEXT, Opt.SET_META_CONTEXT]) {
        const secret = await askOption(client, option(code, contextData('secret')));
        // "MUST NOT": TLS_REQD is for INFO and GO here.
        expect(secret.type).not.toBe(Rep.ERR_TLS_REQD);
        expect(secret.type).toBeGreaterThan(Rep.META_CONTEXT);
        expect(await askOption(client, option(code, contextData('absent')))).toEqual(secret);
      }
    });

    it('N8 closes on EXPORT_NAME of an export that needs TLS', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      client.send(option(Opt.EXPORT_NAME, 'secret'));
      expect(await client.readToEnd()).toEqual(Buffer.alloc(0));
    });

    it('N8 serves the others without TLS', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      expect((await askOption(client, go('secret'))).type).toBe(Rep.ERR_TLS_REQD);
      await goTo(client, 'disk.img');
      expectBytes(await readBytes(client, 0, 4096), suite.imageBytes(0, 4096));
    });

    it('N8 serves all inside TLS, where what is not there is unknown', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      const secured = await startTls(client, identity);
      expect(await listed(secured)).toEqual(['disk.img', 'secret']);
      expect((await askOption(secured, go('absent'))).type).toBe(Rep.ERR_UNKNOWN);
      await goTo(secured, 'secret');
      expectBytes(await readBytes(secured, 4096, 4096), suite.imageBytes(4096, 4096));
    });

    it('N7 STARTTLS wipes structured replies and contexts', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      expect((await askOption(client, option(Opt.STRUCTURED_REPLY))).type).toBe(Rep.ACK);
      const contexts = option(Opt.SET_META_CONTEXT, contextData('disk.img', 'base:allocation'));
      expect((await askOption(client, contexts)).type).toBe(Rep.ACK);
      const secured = await startTls(client, identity);
      await goTo(secured, 'disk.img');
      // Simple replies, as to who has negotiated nothing.
      expectBytes(await readBytes(secured, 0, 4096), suite.imageBytes(0, 4096));
      expect(await ask(secured, { type: Cmd.BLOCK_STATUS, length: 4096 })).toMatchObject({
        error: Err.EINVAL,
      });
    });

    it('N7 STARTTLS wipes extended headers', async () => {
      const client = await suite.connect(transport);
      await greet(client);
      expect((await askOption(client, option(Opt.EXTENDED_HEADERS))).type).toBe(Rep.ACK);
      expect((await askOption(client, option(Opt.STRUCTURED_REPLY))).type).toBe(Rep.ERR_EXT_HEADER_REQD);
      const secured = await startTls(client, identity);
      const contexts = option(Opt.SET_META_CONTEXT, contextData('disk.img', 'base:allocation'));
      expect((await askOption(secured, contexts)).type).toBe(Rep.ERR_INVALID);
      expect((await askOption(secured, option(Opt.STRUCTURED_REPLY))).type).toBe(Rep.ACK);
    });
  });
});

describe('a server without TLS', () => {
  const suite = serving({
    images: () => [makeImage(MIB, { folder: scratchFolder() })],
  });

  beforeAll(async () => {
    const policy = ['--device', 'disk.img', '--tls-required'];
    expect((await suite.holdfast.cli('export', 'add', 'secret', ...policy)).code).toBe(0);
  });

  it.each(transports)(
    'N8 never says TLS_REQD over %s, and has ERR_POLICY for what needs TLS',
    async (transport) => {
      const client = await suite.connect(transport);
      await greet(client);
      for (const data of ['', 'x']) {
        expect((await askOption(client, option(Opt.STARTTLS, data))).type).toBe(Rep.ERR_POLICY);
      }
      expect(await listed(client)).toEqual(['disk.img']);
      for (const code of [Opt.INFO, Opt.GO]) {
        expect((await askOption(client, option(code, infoData('secret')))).type).toBe(Rep.ERR_POLICY);
      }
      for (const [code, data] of otherOptions.filter(([one]) => one !== Opt.GO)) {
        expect((await askOption(client, option(code, data))).type).not.toBe(Rep.ERR_TLS_REQD);
      }
    },
  );
});
