import { isUniqueViolation } from './database-error.js';

/** Times that an insert may find its key taken and then, looking, free again. */
const ATTEMPTS_MAX = 3;

/**
 * Inserts, unless the key is taken: then answers with what has it. So a repeated call meets its own first effect.
 * `insert` is one transaction of its own, since a failed insert ends a transaction of PostgreSQL.
 */
export async function insertOnce<Record>(
  insert: () => Promise<Record>,
  findExisting: () => Promise<Record | undefined>,
): Promise<{ readonly record: Record; readonly existed: boolean }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { record: await insert(), existed: false };
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      const record = await findExisting();
      if (record !== undefined) return { record, existed: true };
      if (attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
