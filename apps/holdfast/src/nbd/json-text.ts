/**
 * JSON of which a 64-bit value is a number with all its digits, as the NBD project's own tools write it. (The rest of the
 * command line writes strings of digits, as the protobuf JSON mapping of the API does.) What is undefined is left out.
 *
 * @param indent blanks in front of each line of the content; none puts all on one line
 */
export function jsonText(value: unknown, indent?: number): string {
  return typeof indent === 'number' ? write(value, '\n', ' '.repeat(indent)) : write(value, '', '');
}

/** One object on one line of standard output. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${jsonText(value)}\n`);
}

function write(value: unknown, lineBreak: string, step: string): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) {
    return wrap(
      '[',
      value.map((one) => write(one, `${lineBreak}${step}`, step)),
      ']',
      lineBreak,
      step,
    );
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => `${JSON.stringify(key)}: ${write(member, `${lineBreak}${step}`, step)}`);
    return wrap('{', members, '}', lineBreak, step);
  }
  return JSON.stringify(value);
}

function wrap(
  open: string,
  parts: readonly string[],
  close: string,
  lineBreak: string,
  step: string,
): string {
  if (parts.length === 0) return `${open}${close}`;
  const separator = lineBreak === '' ? ', ' : `,${lineBreak}${step}`;
  return `${open}${lineBreak}${step}${parts.join(separator)}${lineBreak}${close}`;
}
