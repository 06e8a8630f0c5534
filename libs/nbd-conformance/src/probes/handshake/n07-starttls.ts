import { Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { PeerFault } from '../../peer-fault.js';
import type { Probe } from '../../probe.js';
import { factsOf } from '../../server/export-facts.js';
import type { Handshake } from '../../server/handshake.js';
import { Session } from '../../server/session.js';
import type { Trial } from '../../trial.js';
import { infoData, option } from '../../wire/option.js';
import { isError, readAnswer, unlessReply } from '../../wire/option-reply.js';

export const n7: Probe = {
  rule: 'N7',
  title: 'STARTTLS wipes what was negotiated and buffered before; a second one is ERR_INVALID',
  modes: [],
  async run(trial) {
    if (!trial.server.usesTls) trial.notTried('TLS is not used: give a URI with nbds:// or nbds+unix://');
    await refusesSecond(trial);
    await wipesState(trial);
    await wipesBytes(trial);
  },
};

async function refusesSecond(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_STARTTLS within TLS',
    expected: 'NBD_REP_ERR_INVALID',
    section: 'TLS support: FORCEDTLS mode, SELECTIVETLS mode',
  };
  await trial.claimInHandshake(claim, async (handshake) =>
    unlessReply(await handshake.ask(Option.STARTTLS), OptionReplyType.ERR_INVALID),
  );
}

async function wipesState(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_STRUCTURED_REPLY in the clear, NBD_OPT_STARTTLS, then NBD_OPT_GO and a READ within TLS',
    expected: 'a simple reply: structured replies are not negotiated any more',
    section: 'Option types: NBD_OPT_STARTTLS',
  };
  if (!(await grantsInTheClear(trial))) {
    trial.leaves('state from before TLS: the server grants none');
    return;
  }
  await trial.claim(claim, () =>
    inTheClear(trial, async (plain) => {
      await plain.demand(Option.STRUCTURED_REPLY);
      await plain.demand(Option.STARTTLS);
      const secured = await trial.server.secure(plain);
      try {
        const facts = factsOf(await secured.demand(Option.GO, infoData(trial.server.exportName, 3)));
        await new Session(secured.stream, 'simple', facts).expectInSync();
        return undefined;
      } finally {
        secured.close();
      }
    }),
  );
}

async function grantsInTheClear({ server }: Trial): Promise<boolean> {
  const plain = await server.greet();
  try {
    return !isError(await plain.ask(Option.STRUCTURED_REPLY));
  } finally {
    plain.close();
  }
}

/** A server that takes what is buffered for a part of the TLS handshake ends the connection, which is as good. */
async function wipesBytes(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_STARTTLS and NBD_OPT_LIST in one piece in the clear, then an option within TLS',
    expected: 'the answer to that option, or no TLS; none to what came in the clear',
    section: 'TLS support: FORCEDTLS mode',
  };
  await trial.claim(claim, () =>
    inTheClear(trial, async (plain) => {
      plain.stream.send(option(Option.STARTTLS), option(Option.LIST));
      const got = unlessReply(await readAnswer(plain.stream, Option.STARTTLS), OptionReplyType.ACK);
      if (got !== undefined) return got;
      const secured = await trial.server.secure(plain).catch((error: unknown) => {
        if (error instanceof PeerFault) return undefined;
        throw error;
      });
      try {
        await secured?.ask(Option.ABORT);
        return undefined;
      } finally {
        secured?.close();
      }
    }),
  );
}

async function inTheClear(
  { server }: Trial,
  work: (plain: Handshake) => Promise<string | undefined>,
): Promise<string | undefined> {
  const plain = await server.greet();
  try {
    return await work(plain);
  } finally {
    plain.close();
  }
}
