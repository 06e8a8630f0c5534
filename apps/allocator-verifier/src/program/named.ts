import type { Field, Program } from '@holdfast/lifetime';

/** What the text of a program names, whether it is there or not. */
export interface Named {
  readonly maps: readonly string[];
  readonly fields: readonly Field[];
  readonly allocators: readonly string[];
}

export function namedBy({ body, steps }: Program): Named {
  const instructions = [body, ...steps.map((step) => step.body)].flat();
  const fields = new Map<string, Field>();
  const allocators = new Set<string>();
  for (const instruction of instructions) {
    if (instruction.op === 'alloc') allocators.add(instruction.allocator);
    if (instruction.op !== 'exchange') continue;
    const { map, field } = instruction.place;
    fields.set(`${map}.${field}`, { map, field });
  }
  const maps = new Set(Array.from(fields.values(), ({ map }) => map));
  return { maps: [...maps], fields: [...fields.values()], allocators: [...allocators] };
}
