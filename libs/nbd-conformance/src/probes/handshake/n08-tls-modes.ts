import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import type { Probe } from '../../probe.js';
import type { Handshake } from '../../server/handshake.js';
import type { Trial } from '../../trial.js';
import { contextData, infoData, option, optionName } from '../../wire/option.js';
import { isError, replyName, unlessReply } from '../../wire/option-reply.js';
import { UNKNOWN_OPTION } from './n01-unknown-option.js';

const { ERR_TLS_REQD, ACK } = OptionReplyType;

export const n8: Probe = {
  rule: 'N8',
  title: 'TLS_REQD is answered exactly where the mode of TLS says so',
  modes: [],
  async run(trial) {
    if (await isForced(trial)) await forced(trial);
    else await neverRequired(trial, () => trial.server.greet(), 'in the clear');
    if (trial.server.usesTls) await neverRequired(trial, () => trial.server.negotiate(), 'within TLS');
    else await declinesOrGrants(trial);
  },
};

/** A server that refuses LIST for want of TLS has to refuse everything. */
async function isForced({ server }: Trial): Promise<boolean> {
  const handshake = await server.greet();
  try {
    return (await handshake.ask(Option.LIST)).end.type === ERR_TLS_REQD;
  } finally {
    handshake.close();
  }
}

async function forced(trial: Trial): Promise<void> {
  const section = 'TLS support: FORCEDTLS mode';
  const { exportName } = trial.server;
  const options: [code: number, data: Uint8Array | string][] = [
    [Option.INFO, infoData(exportName)],
    [Option.GO, infoData(exportName)],
    [Option.STRUCTURED_REPLY, ''],
    [Option.LIST_META_CONTEXT, contextData(exportName)],
    [UNKNOWN_OPTION, Buffer.alloc(100, option(Option.LIST))],
  ];
  for (const [code, data] of options) {
    const claim = { sent: `${optionName(code)} in the clear`, expected: 'NBD_REP_ERR_TLS_REQD', section };
    await trial.claim(claim, () =>
      onOne(trial.server.greet(), async (handshake) => {
        const got = unlessReply(await handshake.ask(code, data), ERR_TLS_REQD);
        if (got === undefined) await handshake.expectInSync();
        return got;
      }),
    );
  }
  const ending = {
    sent: 'NBD_OPT_EXPORT_NAME in the clear',
    expected: 'the server closes without an answer',
    section,
  };
  await trial.claim(ending, () =>
    onOne(trial.server.greet(), async ({ stream }) => {
      stream.send(option(Option.EXPORT_NAME, exportName));
      return stream.expectEnd();
    }),
  );
}

async function neverRequired(trial: Trial, begin: () => Promise<Handshake>, where: string): Promise<void> {
  for (const code of [Option.LIST, Option.STRUCTURED_REPLY, UNKNOWN_OPTION]) {
    const claim = {
      sent: `${optionName(code)} ${where}`,
      expected: 'no NBD_REP_ERR_TLS_REQD',
      section: 'TLS support: NOTLS mode, SELECTIVETLS mode',
    };
    await trial.claim(claim, () =>
      onOne(begin(), async (handshake) => {
        const { end } = await handshake.ask(code);
        return end.type === ERR_TLS_REQD ? replyName(end.type) : undefined;
      }),
    );
  }
}

async function declinesOrGrants(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_STARTTLS',
    expected: 'NBD_REP_ACK, or an error other than NBD_REP_ERR_TLS_REQD behind which options are understood',
    section: 'TLS support: NOTLS mode',
  };
  await trial.claim(claim, () =>
    onOne(trial.server.greet(), async (handshake) => {
      const answer = await handshake.ask(Option.STARTTLS);
      if (answer.end.type === ACK) return undefined;
      if (!isError(answer) || answer.end.type === ERR_TLS_REQD) return replyName(answer.end.type);
      await handshake.expectInSync();
      return undefined;
    }),
  );
}

async function onOne(
  begun: Promise<Handshake>,
  work: (handshake: Handshake) => Promise<string | undefined>,
): Promise<string | undefined> {
  const handshake = await begun;
  try {
    return await work(handshake);
  } finally {
    handshake.close();
  }
}
