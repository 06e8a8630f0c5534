import type { Step } from './arbitraries.js';
import type { World } from './world.js';

/** Takes a step, if it can be taken: a program does only what its effects permit, and only while it is loaded. */
export async function play(world: World, step: Step): Promise<void> {
  switch (step.kind) {
    case 'load':
      await world.load(step.program, step.effects);
      return;
    case 'unload':
      return world.unload(step.program);
    case 'free-map':
      return world.freeMap(step.map);
    case 'create':
      await world.createAllocator(step.allocator);
      return;
    case 'destroy':
      return world.destroyAllocator(step.allocator);
    case 'crash':
      world.crash();
      return;
    case 'fail':
      world.store.failsNext = true;
      return;
    case 'free':
      world.freeTaken(step.program);
      return;
    case 'put':
      world.putBack(step.program);
      return;
    case 'store':
    case 'move':
    case 'take':
      run(world, step);
  }
}

function run(world: World, { kind, program, choice, entry }: Extract<Step, { choice: number }>): void {
  const effects = world.loaded.get(program);
  const pick = <Item>(items: readonly Item[] = []): Item | undefined => items[choice % items.length];
  if (kind === 'store') {
    const store = pick(effects?.stores);
    if (store !== undefined) world.allocate(store.allocator, store.into, entry);
  } else if (kind === 'move') {
    const move = pick(effects?.moves);
    if (move !== undefined) world.move(move.from, move.to, entry);
  } else {
    const field = pick(effects?.uses);
    if (field !== undefined) world.take(program, field, entry);
  }
}
