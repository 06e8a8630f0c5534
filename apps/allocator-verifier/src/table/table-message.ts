import { verifierV1 } from '@holdfast/contracts';
import { fieldsOf, graphOf, nameOf, toDot, type DependencyTable, type Row } from '@holdfast/lifetime';

/** Rows of one answer: more is no picture that anybody looks at, and an answer has 4 MiB. */
const ROWS_SHOWN = 10_000;

const { TableRow_Kind: KindCode } = verifierV1;

const kindCodes: Readonly<Record<Row['kind'], verifierV1.TableRow_Kind>> = {
  stores: KindCode.KIND_STORES,
  moves: KindCode.KIND_MOVES,
  uses: KindCode.KIND_USES,
};

export function toTableMessage(table: DependencyTable): verifierV1.Table {
  const { allocators, rows } = table.records();
  const shown = rows.slice(0, ROWS_SHOWN);
  const named = new Set(shown.flatMap((row) => fieldsOf(row).map(nameOf)));
  const chains = table.chains().filter(({ fields }) => fields.some((field) => named.has(field)));
  return {
    rows: shown.map(toRowMessage),
    chains: chains.map(({ fields, allocator = '', liveRows }) => ({
      fields: [...fields],
      allocator,
      liveRows,
    })),
    dot: toDot(graphOf({ allocators, rows: shown })),
    rowsLeftOut: BigInt(rows.length - shown.length),
  };
}

function toRowMessage(row: Row): verifierV1.TableRow {
  const [first, other] = fieldsOf(row);
  return {
    kind: kindCodes[row.kind],
    program: row.program,
    field: nameOf(first),
    otherField: other === undefined ? '' : nameOf(other),
    allocator: row.kind === 'stores' ? row.allocator : '',
    discardable: row.discardable,
  };
}
