import { beforeAll, describe, expect, it } from 'vitest';
import { chosenDatabase } from '../support/databases.js';
import { eventually } from '../support/eventually.js';
import { FILL_BIG, ProgramInstance, storing, taking } from './program-instance.js';
import { kills, programPoints } from './steps.js';

const { needs } = chosenDatabase;

describe.skipIf(needs.missing)(`an allocator-verifier that is killed ${needs.note}`, () => {
  let instance: ProgramInstance;
  let commands: Record<(typeof kills)[number]['does'], readonly string[]>;
  let fill: string;

  beforeAll(async () => {
    instance = await ProgramInstance.start(chosenDatabase);
    fill = instance.file('fill', FILL_BIG);
    const move = instance.file('move', taking('big.f', storing('other.f')));
    commands = {
      load: ['program', 'load', move],
      run: ['program', 'run', 'move'],
      unload: ['program', 'unload', 'move'],
      free: ['map', 'free', 'big'],
    };
  });

  /** A map of 1200 chunks, and what the command needs. @returns what undoes it */
  async function prepare(does: keyof typeof commands): Promise<void> {
    await instance.does('allocator', 'create', 'A', '--memory', '8M', '--chunk', '4K');
    await instance.does('map', 'create', 'big', '--entries', '1200', '--field', 'f');
    await instance.does('map', 'create', 'other', '--entries', '1', '--field', 'f');
    await instance.does('program', 'load', fill);
    await instance.does('program', 'run', 'fill');
    if (does !== 'load') await instance.does(...commands.load);
    await instance.does('program', 'unload', 'fill');
    await instance.does('allocator', 'destroy', 'A');
  }

  it('Law 2 is killed at every step that there is', () => {
    expect(kills.map(({ point }) => point).sort()).toEqual([...programPoints].sort());
  });

  it.each(kills)(
    'C10 at $point: it has happened whole or not at all, and nothing is destroyed early',
    async ({ point, does, isDone }) => {
      await prepare(does);
      const before = await instance.chains();
      const { holdfast, faults } = instance;
      faults.arm(point);
      const told = holdfast.cli(...commands[does]);
      await faults.reached(point);
      const pid = holdfast.kill('allocator-verifier');
      faults.letGo();
      await holdfast.restarted('allocator-verifier', pid);
      expect((await told).code).not.toBe(0);
      await eventually(
        'the next one to answer',
        async () => (await holdfast.cli('table', 'show')).code === 0,
      );

      // Each chunk is in one slot, or free.
      const held = (await instance.held('big')) + (await instance.held('other'));
      const [allocator] = await instance.allocators();
      expect(allocator).toMatchObject({ state: 'STATE_DRAINING' });
      expect(allocator?.allocated ?? 0).toBe(does === 'free' ? held : 1200);
      const isMoved = (await instance.held('other')) === 1;
      expect(isMoved).toBe(does === 'run' && isDone);
      if (!isDone) expect(await instance.chains()).toEqual(before);

      // And what was interrupted can be repeated, up to the end of everything.
      await instance.does(...commands[does]);
      await instance.does('map', 'free', 'big');
      await instance.does('map', 'free', 'other');
      await instance.does('program', 'unload', 'move');
      await eventually('the allocator to be gone', async () => (await instance.allocators()).length === 0);
      expect(await instance.chains()).toEqual([]);
    },
    60_000,
  );
});
