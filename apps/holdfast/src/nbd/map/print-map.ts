import { HoldfastError } from '@holdfast/foundation';
import { parseNbdUri, type Extent, type NbdConnection } from '@holdfast/nbd-client';
import { connectTo } from '../connect-to.js';
import { jsonText } from '../json-text.js';
import { describeType } from './describe-type.js';
import { endWithReader, printOut } from './print-out.js';
import { sumUp, type Total } from './totals.js';

/** `nbd map`: prints extents as they come, so that an export of any size needs little memory. */
export async function printMap(uri: string, context: string, json: boolean): Promise<void> {
  endWithReader();
  await using connection = await connectWith(uri, context);
  let isFirst = true;
  if (json) await printOut('[');
  for await (const extent of connection.extents(context)) {
    const text = json
      ? `${isFirst ? '\n' : ',\n'}${extentJson(context, extent)}`
      : extentLine(context, extent);
    await printOut(text);
    isFirst = false;
  }
  if (json) await printOut('\n]\n');
}

/** `nbd map --totals`. */
export async function printTotals(uri: string, context: string, json: boolean): Promise<void> {
  endWithReader();
  await using connection = await connectWith(uri, context);
  const totals = await sumUp(connection.extents(context), connection.exportInfo.sizeBytes);
  if (json) {
    const documents = totals.map(({ type, bytes, percent }) =>
      jsonText({ size: bytes, percent, type, description: describeType(context, type) }),
    );
    await printOut(`[\n${documents.join(',\n')}\n]\n`);
  } else {
    await printOut(totals.map((total) => totalLine(context, total)).join(''));
  }
}

async function connectWith(uri: string, context: string): Promise<NbdConnection> {
  const connection = await connectTo(parseNbdUri(uri), { metaContexts: [context] });
  if (connection.metaContexts.some(({ name }) => name === context)) return connection;
  await connection.disconnect();
  const reason =
    connection.replyMode === 'simple'
      ? 'it has simple replies only'
      : 'holdfast nbd info URI lists those that it has';
  throw new HoldfastError(
    'NBD_CONTEXT_NOT_OFFERED',
    `the NBD server does not have the metadata context ${JSON.stringify(context)} for this export: ${reason}`,
    { context },
  );
}

function extentJson(context: string, { offset, length, flags: type }: Extent): string {
  return jsonText({ offset, length, type, description: describeType(context, type) });
}

function extentLine(context: string, { offset, length, flags: type }: Extent): string {
  const numbers = `${column(offset, 10)}  ${column(length, 10)}  ${column(type, 3)}`;
  return `${withDescription(numbers, describeType(context, type))}\n`;
}

function totalLine(context: string, { type, bytes, percent }: Total): string {
  const numbers = `${column(bytes, 10)}  ${percent.toFixed(1).padStart(5)}%  ${column(type, 3)}`;
  return `${withDescription(numbers, describeType(context, type))}\n`;
}

function withDescription(numbers: string, description: string | undefined): string {
  return description === undefined ? numbers : `${numbers}  ${description}`;
}

function column(value: bigint, width: number): string {
  return String(value).padStart(width);
}
