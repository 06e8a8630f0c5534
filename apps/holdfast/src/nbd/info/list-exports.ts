import { messageOf } from '@holdfast/foundation';
import { parseNbdUri } from '@holdfast/nbd-client';
import { ExitCode } from '../../exit-code.js';
import { printNote } from '../../output/print.js';
import { negotiateWith } from '../connect-to.js';
import { jsonText } from '../json-text.js';
import { uriOfExport } from '../uri-of-export.js';
import { describeExport } from './ask-server.js';
import type { ExportFacts } from './export-facts.js';
import { connectionJson, connectionLine, exportJson, exportLines } from './export-text.js';

/**
 * `nbd list`: what the server lists (LIST), and what it says about each (INFO). One that it lists and does not tell about
 * is told of on standard error, the others are shown all the same.
 */
export async function printList(uri: string, json: boolean): Promise<ExitCode> {
  const parsed = parseNbdUri(uri);
  await using negotiation = await negotiateWith(parsed);
  const listed = await negotiation.list();
  const all: ExportFacts[] = [];
  let isComplete = true;
  if (!json) process.stdout.write(`${connectionLine(negotiation)}\n`);
  for (const { name, description } of listed) {
    try {
      const itsUri = uriOfExport(uri, name);
      const facts = await describeExport(negotiation, itsUri, { ...parsed, exportName: name });
      const described = {
        ...facts,
        info: { ...facts.info, description: description || facts.info.description },
      };
      if (json) all.push(described);
      else process.stdout.write(`${exportLines(described).join('\n')}\n`);
    } catch (error) {
      isComplete = false;
      printNote(`the export ${JSON.stringify(name)} is left out: ${messageOf(error)}`, json);
    }
  }
  if (json) {
    process.stdout.write(
      `${jsonText({ ...connectionJson(negotiation), exports: all.map(exportJson) }, 2)}\n`,
    );
  }
  return isComplete ? ExitCode.done : ExitCode.failed;
}
