import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../support/seeded-random.js';
import { succeed } from '../support/command.js';
import { engines } from '../support/engines.js';
import { startHoldfast } from '../support/holdfast.js';
import { makeImage, MIB, sha256 } from '../support/image.js';
import { requireNewerClients } from '../support/newer-clients.js';
import { requireCommands } from '../support/requirements.js';
import { answerText, saysTheSame } from './comparison.js';
import { declaredDifferences } from './declared-differences.js';
import { Provisioned } from './provisioned.js';
import { startQemuNbd } from './qemu-nbd.js';
import { questionText, replyModes } from './question.js';
import { randomQuestion } from './random-questions.js';
import { Side } from './side.js';

/** The same in every run, so that every declared difference is met; another by HOLDFAST_DIFFERENTIAL_SEED. */
const chosenSeed = process.env['HOLDFAST_DIFFERENTIAL_SEED'];
const seed = Number(chosenSeed ?? 10809);
const QUESTIONS = 10_000;

/** What is wrong shows in the first few. */
const UNDECLARED_MAX = 10;

/** Longer than the maximum payload, so that requests without payload can be; and no multiple of a page. */
const SIZE = 33 * MIB + 1536;

const installed = requireCommands('qemu-nbd');
/** Ten seconds or so, on a machine that has nothing else to do. */
const RUN_MS = 240_000;

const met = new Set<unknown>();

describe.each(replyModes)('holdfast, both engines, and qemu-nbd, %s replies', (mode) => {
  const needs = mode === 'extended' ? requireNewerClients : installed;

  it.skipIf(needs.missing)(
    `answer ${String(QUESTIONS)} requests alike and leave the same image, but for what is declared (seed ${String(seed)}) ${needs.note}`,
    async () => {
      const image = makeImage(SIZE, { fill: 'sparse' });
      // Holes and all.
      const copyOf = async (name: string) => {
        const copy = path.join(path.dirname(image), name);
        await succeed('cp', ['--sparse=always', image, copy]);
        return copy;
      };
      const qemuImage = await copyOf('qemu.img');
      const qemu = new Side(
        'qemu-nbd',
        qemuImage,
        await startQemuNbd(qemuImage, { newer: mode === 'extended' }),
        mode,
      );
      const ours = await Promise.all(
        engines.map(async ({ engine, env }) => {
          const own = await copyOf(`${engine}.img`);
          const { layout } = await startHoldfast({ images: [own], env });
          return new Side(`holdfast (${engine})`, own, layout.nbdSocket, mode);
        }),
      );
      const undeclared = await askAll(qemu, ours, mode);
      for (const side of [qemu, ...ours]) side.close();
      expect(undeclared).toEqual([]);
      for (const side of ours) expect(await sha256(side.image)).toBe(await sha256(qemu.image));
    },
    RUN_MS,
  );
});

describe.skipIf(chosenSeed !== undefined || installed.missing || requireNewerClients.missing)(
  'every declared difference',
  () => {
    it.each(declaredDifferences)('is met: $when', (difference) => {
      expect(met.has(difference)).toBe(true);
    });
  },
);

/** Asks all of them the same. @returns what was answered differently, and is not declared */
async function askAll(
  qemu: Side,
  ours: readonly Side[],
  mode: (typeof replyModes)[number],
): Promise<readonly string[]> {
  const random = new SeededRandom(seed);
  const provisioned = new Provisioned();
  const undeclared: string[] = [];
  for (let turn = 0; turn < QUESTIONS && undeclared.length < UNDECLARED_MAX; turn += 1) {
    const question = randomQuestion(random, mode, SIZE);
    const tell = (what: string) => undeclared.push(`request ${turn}, ${questionText(question)}: ${what}`);
    const [theirs, ...mine] = await Promise.all([qemu, ...ours].map((side) => side.ask(question)));
    if (theirs === undefined) throw new Error('qemu-nbd is asked first');
    provisioned.note(question, theirs);
    for (const [index, answer] of mine.entries()) {
      const side = ours[index] ?? qemu;
      if (!side.hasZeroes(question, answer)) tell(`${side.name} says zero where there is data`);
      if (saysTheSame(question, answer, theirs)) continue;
      const disagreement = { question, holdfast: answer, qemu: theirs, provisioned };
      const difference = declaredDifferences.find(
        ({ modes, isSo }) => modes.includes(mode) && isSo(disagreement),
      );
      if (difference === undefined)
        tell(`${side.name} ${answerText(answer)}; qemu-nbd ${answerText(theirs)}`);
      else met.add(difference);
    }
  }
  return undeclared;
}
