import path from 'node:path';
import { verifierV1 } from '@holdfast/contracts';
import { temporaryFolder } from '@holdfast/contracts/testing/temporary-folder';
import { parseProgram, printProgram, type Instruction, type Operand, type Program } from '@holdfast/lifetime';
import { expect, test } from 'vitest';
import { startVerifier } from '../testing/verifier.js';
import { parseLoad } from './program-form.js';

const { Instruction_Word: Word, LoadProgramRequest } = verifierV1;

/** Every instruction, in each of its shapes. */
const SOURCE = `program all(first, count) {
  r1 = arg first
  r2 = arg count
  loop r3 times r2 at most 8 {
    r4 = r1 + r3
    r4 = r4 + 0
    r0 = alloc A
    if r0 is null {
      break
    } else {
      r0 = xchg M[r4].f, r0
      call drop
    }
  }
  loop r3 times 2 {
    r0 = xchg M[7].f, null
    call drop
  }
  r0 = xchg M.f, null
  call drop
  return
}

step drop {
  if r0 is not null {
    free r0
  }
}
`;

const words = { else: Word.WORD_ELSE, end: Word.WORD_END, break: Word.WORD_BREAK, return: Word.WORD_RETURN };

function operand(of: Operand): object {
  return of.kind === 'constant'
    ? { operand: { $case: 'constant', value: of.value } }
    : { operand: { $case: 'register', value: of.register } };
}

/** As a client writes it. */
function message(instruction: Instruction): object {
  const { op } = instruction;
  if (op === 'else' || op === 'end' || op === 'break' || op === 'return') {
    return { op: { $case: 'word', value: words[op] } };
  }
  if (op === 'call') return { op: { $case: 'call', value: instruction.step } };
  if (op === 'if') {
    const { register, is } = instruction;
    return { op: { $case: 'if', value: { register, isNotNull: is === 'not-null' } } };
  }
  if (op === 'add')
    return { op: { $case: op, value: { ...instruction, right: operand(instruction.right) } } };
  if (op === 'exchange') {
    const { into, place, value } = instruction;
    const { map, field, index } = place;
    return {
      op: { $case: op, value: { into, map, field, index: operand(index), value: value ?? undefined } },
    };
  }
  if (op === 'loop') {
    const { counter, times } = instruction;
    const atMost = times.kind === 'register' ? times.atMost : 0;
    return { op: { $case: op, value: { counter, times: operand(times), atMost } } };
  }
  return { op: { $case: op, value: instruction } };
}

/** Over the wire. */
function sent({ name, parameters, body, steps }: Program): string | Program {
  const form = {
    name,
    parameters: [...parameters],
    body: body.map(message),
    steps: steps.map((step) => ({ name: step.name, body: step.body.map(message) })),
  };
  const request = LoadProgramRequest.fromPartial({ program: { $case: 'form', value: form } });
  return parseLoad(LoadProgramRequest.decode(LoadProgramRequest.encode(request).finish()).program);
}

test('a program without text is the same as with it', () => {
  const { program } = parseProgram(SOURCE);
  expect(sent(program)).toEqual(program);
});

test('it is loaded, kept as its canonical text, and there after a restart', async () => {
  const url = `file:${path.join(temporaryFolder(), 'records.db')}`;
  const v = await startVerifier(url);
  await v.createAllocator('A');
  await v.createMap('M', 'f');
  const { program } = parseProgram(SOURCE);
  expect(await v.programs.load(sent(program), false)).toMatchObject({ kind: 'loaded' });
  expect(await v.programs.load(SOURCE, false)).toMatchObject({ kind: 'loaded' });
  await v.stop();
  const next = await startVerifier(url);
  expect((await next.store.programs.get('all')).source).toBe(printProgram(program));
  expect(await next.run('all', { first: 1, count: 3 })).toMatchObject({ allocated: 3 });
  expect(await next.findings()).toEqual([]);
});

test('Law 5 what cannot be a program is refused, with the instruction', async () => {
  const v = await startVerifier(`file:${path.join(temporaryFolder(), 'records.db')}`);
  const form = (body: readonly Instruction[], name = 'p') => sent({ name, parameters: [], body, steps: [] });
  expect(await v.programs.load(form([{ op: 'free', register: 99 }]), false)).toMatchObject({
    rejection: { rule: 'malformed-instruction', location: { instruction: 0 } },
  });
  expect(await v.programs.load(form([], 'no name'), false)).toMatchObject({ kind: 'rejected-by-verifier' });
  expect(await v.programs.load(form([{ op: 'end' }]), false)).toMatchObject({
    rejection: { rule: 'unbalanced-block' },
  });
  expect(() => form(Array.from({ length: 1025 }, () => ({ op: 'return' as const })))).toThrow(/at most 1024/);
  expect(() => parseLoad(undefined)).toThrow(/must be a text/);
});
