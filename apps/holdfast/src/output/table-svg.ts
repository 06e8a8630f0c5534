import type { verifierV1 } from '@holdfast/contracts';

/** A box of the picture: its name, its column, and its place there. */
interface Box {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly isDashed: boolean;
}

const COLUMN = 320;
const ROW = 44;
const BOX = { width: 220, height: 28 };
const MARGIN = 20;
const HEADINGS = ['allocators', 'fields', 'programs'] as const;

/**
 * The table as a picture of three columns: each allocator, the fields that take it, and the programs that use these. Fields of
 * one chain follow each other. What belongs to a program that is unloaded is dashed.
 */
export function drawTable({ rows, chains }: Pick<verifierV1.Table, 'rows' | 'chains'>): string {
  const allocators = column(0, [
    ...new Set(chains.map(({ allocator }) => allocator).filter((name) => name !== '')),
  ]);
  const fields = column(
    1,
    chains.flatMap((chain) => chain.fields),
  );
  const loaded = new Set(rows.filter(({ discardable }) => !discardable).map(({ program }) => program));
  const programs = column(2, [...new Set(rows.map(({ program }) => program))], loaded);
  const lines = [
    ...chains.flatMap(({ allocator, fields: names }) =>
      names.map((name) => line(allocators.get(allocator), fields.get(name), false)),
    ),
    ...rows.flatMap(({ program, field, otherField, discardable }) =>
      [field, otherField].map((name) => line(fields.get(name), programs.get(program), discardable)),
    ),
  ];
  const boxes = [allocators, fields, programs].flatMap((all) => [...all.values()].map(box));
  const height = MARGIN * 2 + ROW * (1 + Math.max(allocators.size, fields.size, programs.size));
  const width = MARGIN * 2 + COLUMN * 2 + BOX.width;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(width)}" height="${String(height)}" font-family="sans-serif" font-size="13">`,
    ...HEADINGS.map(
      (text, at) =>
        `<text x="${String(MARGIN + COLUMN * at)}" y="${String(MARGIN + 16)}" font-weight="bold">${text}</text>`,
    ),
    ...new Set(lines.filter((text) => text !== '')),
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
}

function column(at: number, names: readonly string[], solid?: ReadonlySet<string>): Map<string, Box> {
  return new Map(
    names.map((label, row) => [
      label,
      { label, x: MARGIN + COLUMN * at, y: MARGIN + ROW * (row + 1), isDashed: solid?.has(label) === false },
    ]),
  );
}

function box({ label, x, y, isDashed }: Box): string {
  const { width, height } = BOX;
  const rect = `<rect x="${String(x)}" y="${String(y)}" width="${String(width)}" height="${String(height)}" rx="4" fill="white" stroke="black"${dashes(isDashed)}/>`;
  return `${rect}<text x="${String(x + 8)}" y="${String(y + 19)}">${escape(label)}</text>`;
}

function line(from: Box | undefined, to: Box | undefined, isDashed: boolean): string {
  if (from === undefined || to === undefined) return '';
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2].map(
    String,
  );
  return `<line x1="${x1 ?? ''}" y1="${y1 ?? ''}" x2="${x2 ?? ''}" y2="${y2 ?? ''}" stroke="gray"${dashes(isDashed)}/>`;
}

function dashes(isDashed: boolean): string {
  return isDashed ? ' stroke-dasharray="4"' : '';
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
