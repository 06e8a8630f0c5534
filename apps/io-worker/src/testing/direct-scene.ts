import { closeSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '@holdfast/foundation';
import { setDirectIo } from '@holdfast/linux';
import { directAccessTo, type DirectAccess } from '../direct/direct-access.js';
import type { Engine } from '../engine/engine.js';
import { EngineScene, type SessionOptions } from './engine-scene.js';

/** A disk that is read and written past the page cache. */
export class DirectScene extends EngineScene {
  readonly direct: DirectAccess | undefined;

  constructor(engine: Engine, folder?: string) {
    super(engine, folder);
    setDirectIo(this.fd, this.file);
    this.direct = directAccessTo(this.fd);
  }

  override serve(options: SessionOptions = {}): ReturnType<EngineScene['serve']> {
    return super.serve({ direct: this.direct, ...options });
  }
}

/** Why there is no direct I/O where tests have their files; undefined when there is. To be called at the top of a file. */
export function directIoUnavailable(folder: string): string | undefined {
  const file = path.join(folder, 'direct-io');
  writeFileSync(file, '');
  const fd = openSync(file, 'r+');
  try {
    setDirectIo(fd, file);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    closeSync(fd);
  }
}
