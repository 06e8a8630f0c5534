import { lastSegment } from '../output/size.js';
import { jsonLine } from '../output/print.js';
import type { gatewayV1 } from '@holdfast/contracts';

/** What `serve` says: results on standard output, everything else on standard error; or JSON lines. */
export class Announcer {
  readonly #json: boolean;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** Something happened that the user should know. */
  note(sentence: string): void {
    process.stderr.write(
      this.#json ? jsonLine({ event: 'note', message: sentence }) : `holdfast: ${sentence}\n`,
    );
  }

  /** One line per export that can be used now. */
  ready(exports: readonly gatewayV1.Export[]): void {
    for (const { name, device, readOnly, uris } of exports) {
      const line = { event: 'ready', export: lastSegment(name), device: lastSegment(device), readOnly, uris };
      process.stdout.write(this.#json ? jsonLine(line) : `ready ${uris.join(' ')}\n`);
    }
    if (!this.#json) process.stderr.write(this.#hints(exports));
  }

  #hints(exports: readonly gatewayV1.Export[]): string {
    const uri = exports[0]?.uris[0];
    if (uri === undefined) return 'No export yet: holdfast device add, device attach, export add.\n';
    return [
      '',
      'Try, in another terminal:',
      `  nbdinfo ${uri}`,
      `  qemu-img convert -p ${uri} -O qcow2 copy.qcow2`,
      `  npx holdfast status`,
      'Stop with ^C.',
      '',
      '',
    ].join('\n');
  }
}
