import { findPostgres, startPostgres } from '@holdfast/store/testing/postgres-server';
import { atEnd } from './cleanup.js';
import { requirement, type Requirement } from './requirements.js';

/** A database that an instance may keep its records in. */
export interface TestDatabase {
  readonly database: 'SQLite' | 'PostgreSQL';
  readonly needs: Requirement;
  /** Makes one of its own. @returns what the services need in their environment */
  readonly create: () => Promise<NodeJS.ProcessEnv>;
}

const postgres = findPostgres();

export const sqlite: TestDatabase = {
  database: 'SQLite',
  needs: requirement({}),
  create: () => Promise.resolve({}),
};

export const postgresql: TestDatabase = {
  database: 'PostgreSQL',
  needs: requirement({ postgresql: postgres !== undefined }),
  create: async () => {
    const server = await startPostgres(postgres ?? '');
    atEnd(() => server.stop());
    return { DATABASE_URL: await server.createDatabase() };
  },
};

/** For tests that take long: one of them, `HOLDFAST_E2E_DATABASE=postgresql` for the other. */
export const chosenDatabase: TestDatabase =
  process.env['HOLDFAST_E2E_DATABASE'] === 'postgresql' ? postgresql : sqlite;
