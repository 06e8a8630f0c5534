import { beforeAll, describe, expect, it } from 'vitest';
import { postgresql, sqlite } from '../support/databases.js';
import { ProgramInstance, storing, taking } from './program-instance.js';

describe.each([sqlite, postgresql])('programs, with $database', (database) => {
  const { needs } = database;

  describe.skipIf(needs.missing)(`an allocator ${needs.note}`, () => {
    let instance: ProgramInstance;

    beforeAll(async () => {
      instance = await ProgramInstance.start(database);
      await instance.does('allocator', 'create', 'A', '--memory', '1M', '--chunk', '4K');
      await instance.does('map', 'create', 'M1', '--entries', '4', '--field', 'f');
      await instance.does('map', 'create', 'M2', '--entries', '4', '--field', 'f');
    });

    it('C1 is destroyed when the last program that may free is unloaded, and not before', async () => {
      const file = {
        P1: instance.file('P1', taking('M1.f', storing('M2.f'))),
        P2: instance.file('P2', ['r0 = alloc A', 'if r0 is not null {', ...storing('M1.f'), '}']),
        P3: instance.file('P3', taking('M2.f', ['free r0'])),
      };
      for (const name of ['P1', 'P3', 'P2'] as const) await instance.does('program', 'load', file[name]);
      for (const name of ['P2', 'P1']) await instance.does('program', 'run', name);
      for (const name of ['P1', 'P2']) await instance.does('program', 'unload', name);
      await instance.does('map', 'free', 'M1');
      expect(await instance.does('allocator', 'destroy', 'A')).toContain('draining');
      const explained = await instance.does('allocator', 'explain', 'A');
      expect(explained).toContain('Program P2, since unloaded, stored allocations of A into M1.f.');
      expect(explained).toContain('Program P3 is loaded and uses M2.f');
      expect(await instance.does('program', 'show', 'P3')).toContain('frees what came from M2.f, to A');
      expect(await instance.does('table', 'show')).toContain('M1.f = M2.f');
      expect(await instance.does('table', 'show', '--dot')).toContain('digraph');
      expect(await instance.does('table', 'show', '--svg')).toContain('>M2.f</text>');

      const { holdfast } = instance;
      await holdfast.restarted('allocator-verifier', holdfast.kill('allocator-verifier'));
      await expect.poll(() => holdfast.cli('program', 'list').then(({ code }) => code)).toBe(0);

      expect(await instance.does('program', 'run', 'P3')).toMatch(/freed: +1/);
      expect(await instance.allocators()).toMatchObject([{ state: 'STATE_DRAINING' }]);
      expect(await instance.does('program', 'unload', 'P3')).toContain('destroyed A');
      expect(await instance.allocators()).toEqual([]);
      expect(await instance.chains()).toEqual([]);
    }, 60_000);

    it('C9 a program that is not accepted, or names what a map does not have, is told the line, the rule and what to do', async () => {
      const bad = instance.file('bad', ['r0 = xchg M2.f, null', 'free r0']);
      const refused = await instance.failure('program', 'load', bad, '--verbose');
      expect(refused).toContain('line 3, instruction 1: free r0');
      expect(refused).toContain('null-free');
      expect(refused).toContain('(line 2) r0 = xchg M2.f, null');
      expect(refused).toContain('PROGRAM_REJECTED');
      const inner = instance.file('inner', taking('M2.inner', ['free r0']));
      expect(await instance.failure('program', 'load', inner)).toContain('unknown-field');
      expect(await instance.failure('program', 'run', 'bad')).toContain('PROGRAM_NOT_LOADED');
      expect(await instance.failure('program', 'run', 'bad', 'x')).toContain('INVALID_ARGUMENT');
      expect(await instance.does('program', 'list', '--json')).toBe('[]\n');
    });
  });
});
