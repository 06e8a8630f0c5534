import { stateLayout } from '@holdfast/contracts';
import { z } from 'zod';
import { setting } from './settings.js';

/** For the services that keep records. */
export const databaseSettings = {
  databaseUrl: setting(
    'DATABASE_URL',
    z.string().regex(/^(file:\/|postgres(ql)?:\/\/|$)/, 'must begin with file:/ or postgresql://'),
    '',
    'Where devices, leases, exports, allocators and maps are recorded: `file:/path.db` (SQLite) or `postgresql://…`. Empty: `holdfast.db` in the state folder.',
    { secret: true },
  ),
} as const;

/** The URL of the database to open. */
export function databaseUrl(settings: {
  readonly databaseUrl: string;
  readonly stateFolder: string;
}): string {
  return settings.databaseUrl === ''
    ? `file:${stateLayout(settings.stateFolder).database}`
    : settings.databaseUrl;
}
