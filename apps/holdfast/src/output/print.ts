/** Rows under headings, columns as wide as they need; nothing but the headings when there are no rows. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [headings, ...rows]) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

/** Names and values, one a line. */
export function printFacts(facts: Readonly<Record<string, string>>): void {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  for (const [name, value] of Object.entries(facts)) {
    process.stdout.write(`${`${name}:`.padEnd(width + 1)} ${value}\n`);
  }
}

/** One JSON document. 64-bit values are decimal strings, as the protobuf JSON mapping writes them. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, plain, 2)}\n`);
}

/** Something that the user should know, which is no result: on standard error. */
export function printNote(sentence: string, json: boolean): void {
  process.stderr.write(json ? jsonLine({ event: 'note', message: sentence }) : `holdfast: ${sentence}\n`);
}

/** One JSON object on one line. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, plain)}\n`;
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
