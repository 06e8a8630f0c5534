import { parseNbdUri } from '@holdfast/nbd-client';
import { jsonText } from '../json-text.js';
import { askAbout, enterAndLook } from './ask-server.js';
import { connectionJson, connectionLine, exportJson, exportLines } from './export-text.js';
import type { Question } from './questions.js';

/** `nbd info`. */
export async function printInfo(uri: string, json: boolean): Promise<void> {
  const facts = await askAbout(uri, parseNbdUri(uri));
  if (json) {
    const document = { ...connectionJson(facts), exports: [exportJson(facts)] };
    process.stdout.write(`${jsonText(document, 2)}\n`);
  } else {
    process.stdout.write([connectionLine(facts), ...exportLines(facts), ''].join('\n'));
  }
}

/** `nbd info --size`: a bare number, which is JSON as well. */
export async function printSize(uri: string): Promise<void> {
  const { info } = await enterAndLook(uri, parseNbdUri(uri));
  process.stdout.write(`${String(info.sizeBytes)}\n`);
}

/** `nbd info --can`, `--is` and `--has`. */
export async function answerQuestion(uri: string, question: Question): Promise<boolean> {
  return question(await enterAndLook(uri, parseNbdUri(uri)));
}
