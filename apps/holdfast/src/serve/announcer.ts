import type { gatewayV1 } from '@holdfast/contracts';
import { defaultStateFolder } from '../client/endpoints.js';
import { byCertificate, byKey } from '../output/client-uri.js';
import { jsonLine, printNote } from '../output/print.js';
import { shellWord } from '../output/shell-word.js';
import { lastSegment } from '../output/size.js';
import type { TlsChoice } from './tls-choice.js';

/** What only the user knows: the folder of a client, with its certificate; the name of a user who has a key. */
const CLIENT_FOLDER = '/CLIENT/FOLDER';
const PSK_USER = 'USER';

/** What `serve` says: results on standard output, everything else on standard error; or JSON lines. */
export class Announcer {
  readonly #json: boolean;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** Something happened that the user should know. */
  note(sentence: string): void {
    printNote(sentence, this.#json);
  }

  /**
   * One line per export that can be used now, and for people what to try next.
   *
   * @param stateFolder where the commands find this instance
   * @param tls by what clients can prove who they are
   */
  ready(exports: readonly gatewayV1.Export[], stateFolder: string, tls: TlsChoice | undefined): void {
    for (const { name, device, effectiveReadOnly: readOnly, uris } of exports) {
      const line = { event: 'ready', export: lastSegment(name), device: lastSegment(device), readOnly, uris };
      process.stdout.write(this.#json ? jsonLine(line) : `ready ${uris.join(' ')}\n`);
    }
    if (!this.#json) process.stderr.write(hints(exports, stateFolder, tls));
  }
}

function hints(
  exports: readonly gatewayV1.Export[],
  stateFolder: string,
  tls: TlsChoice | undefined,
): string {
  const here = stateFolder === defaultStateFolder() ? '' : ` --state ${shellWord(stateFolder)}`;
  const uri = exports[0]?.uris[0];
  const lines =
    uri === undefined
      ? ['No export can be used yet. In another terminal:', `  npx holdfast device list${here}`]
      : ['Try, in another terminal:', ...clientHints(uri, tls), `  npx holdfast status${here}`];
  return ['', ...lines, 'Stop with ^C.', '', ''].join('\n');
}

function clientHints(uri: string, tls: TlsChoice | undefined): string[] {
  if (!uri.startsWith('nbds')) {
    return [`  nbdinfo ${shellWord(uri)}`, `  qemu-img convert -p ${shellWord(uri)} -O qcow2 copy.qcow2`];
  }
  const { certificates, pskFile } = tls ?? {};
  return [
    ...(certificates === undefined ? [] : [`  nbdinfo ${shellWord(byCertificate(uri, CLIENT_FOLDER))}`]),
    ...(pskFile === undefined ? [] : [`  nbdinfo ${shellWord(byKey(uri, PSK_USER, pskFile))}`]),
  ];
}
