import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DatabaseKind } from '../database/database-url.js';

/** One step from an older form of the records to the next. */
export interface Migration {
  /** `<timestamp>_<what it does>`: the order of names is the order of steps. */
  readonly name: string;
  /** SHA-256 of the file in hexadecimal, as Prisma writes it. */
  readonly checksum: string;
  readonly sql: string;
}

/** `prisma/` in the root of the repository: four floors up from this file, in `src` and in `dist` alike. */
const prismaFolder = fileURLToPath(new URL('../../../../prisma/', import.meta.url));

/** Reads the migrations that ship for a database, oldest first. Tests pass a folder of their own. */
export async function readMigrations(
  kind: DatabaseKind,
  folder = path.join(prismaFolder, kind, 'migrations'),
): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const bytes = await readFile(path.join(folder, name, 'migration.sql'));
      const checksum = createHash('sha256').update(bytes).digest('hex');
      return { name, checksum, sql: bytes.toString('utf8') };
    }),
  );
}
