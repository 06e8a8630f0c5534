import { expect, test } from 'vitest';
import { verifierV1 } from '@holdfast/contracts';
import { drawTable } from './table-svg.js';

const { Table, TableRow_Kind: Kind } = verifierV1;

test('the picture has a box for each allocator, field and program, and a line for each that two have in common', () => {
  const rows = [
    { kind: Kind.KIND_STORES, program: 'fill', field: 'volume.chunk', allocator: 'pool' },
    {
      kind: Kind.KIND_MOVES,
      program: 'move',
      field: 'volume.chunk',
      otherField: 'old.chunk',
      discardable: true,
    },
  ];
  const chains = [{ fields: ['old.chunk', 'volume.chunk'], allocator: 'pool', liveRows: 1 }];
  const svg = drawTable(Table.fromPartial({ rows, chains }));
  for (const label of ['pool', 'volume.chunk', 'old.chunk', 'fill', 'move'])
    expect(svg).toContain(`>${label}</text>`);
  expect(svg.match(/<rect/g)).toHaveLength(5);
  expect(svg.match(/<line/g)).toHaveLength(5);
  expect(svg.match(/<line[^>]*dasharray/g)).toHaveLength(2);
  expect(svg.match(/<rect[^>]*dasharray/g)).toHaveLength(1);
});
