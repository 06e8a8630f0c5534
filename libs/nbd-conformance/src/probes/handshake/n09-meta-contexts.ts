import { Command, Option, OptionReplyType } from '@holdfast/nbd-protocol';
import { chunkedModes, type Probe } from '../../probe.js';
import { contextsIn } from '../../server/contexts.js';
import type { Handshake } from '../../server/handshake.js';
import { Session } from '../../server/session.js';
import { factsOf } from '../../server/export-facts.js';
import type { Trial } from '../../trial.js';
import { shownText } from '../../wire/bytes.js';
import { contextData, infoData } from '../../wire/option.js';
import { isError, unlessReply } from '../../wire/option-reply.js';
import { UNKNOWN_EXPORT } from './unknown-export.js';

const BASE = 'base:allocation';
const section = 'Option types: NBD_OPT_SET_META_CONTEXT';

export const n9: Probe = {
  rule: 'N9',
  title: 'SET_META_CONTEXT replaces the selection, even when it fails; ids are unique',
  modes: chunkedModes,
  async run(trial) {
    await offers(trial);
    if (trial.mode === 'structured') await needsReplyMode(trial);
    await listsAll(trial);
    await selectsOnly(trial);
    await refusesMalformed(trial);
    await replaces(trial);
  },
};

async function offers(trial: Trial): Promise<void> {
  const handshake = await inMode(trial);
  try {
    const answer = await handshake.ask(Option.SET_META_CONTEXT, contextData(trial.server.exportName, BASE));
    if (isError(answer) || !contextsIn(answer).has(BASE)) trial.notOffered(`there is no context ${BASE}`);
  } finally {
    handshake.close();
  }
}

async function needsReplyMode(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_SET_META_CONTEXT with neither structured replies nor extended headers',
    expected: 'NBD_REP_ERR_INVALID (or NBD_REP_ERR_EXT_HEADER_REQD)',
    section,
    strength: 'SHOULD',
  } as const;
  await trial.claimInHandshake(claim, async (handshake) =>
    unlessReply(
      await handshake.ask(Option.SET_META_CONTEXT, contextData(trial.server.exportName, BASE)),
      OptionReplyType.ERR_INVALID,
      OptionReplyType.ERR_EXT_HEADER_REQD,
    ),
  );
}

async function listsAll(trial: Trial): Promise<void> {
  for (const queries of [[], ['base:']]) {
    const claim = {
      sent: `NBD_OPT_LIST_META_CONTEXT with ${queries.length === 0 ? 'no queries' : 'the query base:'}`,
      expected: `${BASE} among the contexts, then NBD_REP_ACK`,
      section: 'Option types: NBD_OPT_LIST_META_CONTEXT',
    };
    await claimInMode(trial, claim, async (handshake) => {
      const data = contextData(trial.server.exportName, ...queries);
      const answer = await handshake.ask(Option.LIST_META_CONTEXT, data);
      const names = [...contextsIn(answer).keys()];
      const isThere = names.includes(BASE) || names.includes('base:');
      return (
        unlessReply(answer, OptionReplyType.ACK) ??
        (isThere ? undefined : `only ${shownText(names.join(', '))}`)
      );
    });
  }
}

async function selectsOnly(trial: Trial): Promise<void> {
  const cases: [what: string, queries: string[], expected: string[]][] = [
    ['no queries', [], []],
    ['the query base:, which selects nothing', ['base:'], []],
    ['a query of an unknown namespace', ['x-holdfast-conformance:none'], []],
    ['an unknown leaf of base:', ['base:holdfast-conformance'], []],
    [BASE, ['x-holdfast-conformance:none', BASE], [BASE]],
  ];
  for (const [what, queries, expected] of cases) {
    const claim = {
      sent: `NBD_OPT_SET_META_CONTEXT with ${what}`,
      expected: `NBD_REP_ACK, with ${expected.length === 0 ? 'no context' : 'just that context'}`,
      section: 'Metadata querying: The base: metadata namespace',
    };
    await claimInMode(trial, claim, async (handshake) => {
      const data = contextData(trial.server.exportName, ...queries);
      const answer = await handshake.ask(Option.SET_META_CONTEXT, data);
      const names = [...contextsIn(answer).keys()].join(', ');
      const isRight = names === expected.join(', ');
      return (
        unlessReply(answer, OptionReplyType.ACK) ??
        (isRight ? undefined : `the contexts "${shownText(names)}"`)
      );
    });
  }
  await uniqueIds(trial);
}

async function uniqueIds(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_SET_META_CONTEXT with every context that is listed',
    expected: 'an id of its own for each',
    section,
  };
  await claimInMode(trial, claim, async (handshake) => {
    const { exportName } = trial.server;
    const listed = contextsIn(await handshake.ask(Option.LIST_META_CONTEXT, contextData(exportName)));
    const names = [...listed.keys()].filter((name) => !name.endsWith(':')).slice(0, 16);
    const answer = await handshake.ask(Option.SET_META_CONTEXT, contextData(exportName, ...names));
    const ids = answer.details
      .filter(({ type }) => type === OptionReplyType.META_CONTEXT)
      .map(({ data }) => data.readUInt32BE(0));
    return new Set(ids).size === ids.length ? undefined : `the ids ${ids.join(', ')}`;
  });
}

/** A query that claims more bytes than there are. */
function malformed(exportName: string): Buffer {
  const data = contextData(exportName, BASE);
  data.writeUInt32BE(data.length, data.length - BASE.length - 4);
  return data;
}

async function refusesMalformed(trial: Trial): Promise<void> {
  const claim = {
    sent: 'NBD_OPT_SET_META_CONTEXT with a query that claims more bytes than there are',
    expected: 'NBD_REP_ERR_INVALID, and the next option is understood',
    section: 'Option types: NBD_OPT_LIST_META_CONTEXT',
  };
  await claimInMode(trial, claim, async (handshake) => {
    const answer = await handshake.ask(Option.SET_META_CONTEXT, malformed(trial.server.exportName));
    const got = unlessReply(answer, OptionReplyType.ERR_INVALID);
    if (got === undefined) await handshake.expectInSync();
    return got;
  });
}

async function replaces(trial: Trial): Promise<void> {
  const { exportName } = trial.server;
  const seconds: [what: string, data: Uint8Array][] = [
    ['one with no queries', contextData(exportName)],
    ['one that fails', malformed(exportName)],
    ['one for another export', contextData(UNKNOWN_EXPORT, BASE)],
  ];
  for (const [what, data] of seconds) {
    const claim = {
      sent: `NBD_OPT_SET_META_CONTEXT of ${BASE}, then ${what}, NBD_OPT_GO and a BLOCK_STATUS`,
      expected: 'an error: no context is selected any more',
      section,
      strength: 'SHOULD',
    } as const;
    await claimInMode(trial, claim, async (handshake) => {
      await handshake.demand(Option.SET_META_CONTEXT, contextData(exportName, BASE));
      await handshake.ask(Option.SET_META_CONTEXT, data);
      const facts = factsOf(await handshake.demand(Option.GO, infoData(exportName, 3)));
      const session = new Session(handshake.stream, trial.mode, facts);
      const reply = await session.ask({ type: Command.BLOCK_STATUS, length: session.blockSize.minimum });
      return reply.error === 0 ? 'success' : undefined;
    });
  }
}

async function inMode({ server, mode }: Trial): Promise<Handshake> {
  const handshake = await server.negotiate();
  const code = mode === 'extended' ? Option.EXTENDED_HEADERS : Option.STRUCTURED_REPLY;
  try {
    await handshake.demand(code);
    return handshake;
  } catch (error) {
    handshake.close();
    throw error;
  }
}

function claimInMode(
  trial: Trial,
  claim: Parameters<Trial['claim']>[0],
  look: (handshake: Handshake) => Promise<string | undefined>,
): Promise<boolean> {
  return trial.claim(claim, async () => {
    const handshake = await inMode(trial);
    try {
      return await look(handshake);
    } finally {
      handshake.close();
    }
  });
}
