import { HoldfastError } from '@holdfast/foundation';
import type { z } from 'zod';

/** One setting of a service: an environment variable with a schema, a default and a sentence. */
export interface Setting<T> {
  readonly variable: string;
  readonly schema: z.ZodType<T, string>;
  /** As it would stand in the environment; undefined: must be given. */
  readonly fallback: string | undefined;
  readonly description: string;
  /** Its value is not shown, not even when it is wrong. */
  readonly secret: boolean;
}

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;
export type SettingsOf<Table extends SettingsTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Setting<infer T> ? T : never;
};

export function setting<T>(
  variable: string,
  schema: z.ZodType<T, string>,
  fallback: string | undefined,
  description: string,
  { secret = false }: { readonly secret?: boolean } = {},
): Setting<T> {
  return { variable, schema, fallback, description, secret };
}

/**
 * Reads all settings once, at start.
 *
 * @throws HoldfastError INVALID_SETTING naming the variable, what it was (unless secret) and what it may be
 */
export function parseSettings<Table extends SettingsTable>(
  table: Table,
  environment: NodeJS.ProcessEnv,
): SettingsOf<Table> {
  const entries = Object.entries(table).map(([key, one]) => [key, parseSetting(one, environment)] as const);
  return Object.fromEntries(entries) as SettingsOf<Table>;
}

function parseSetting(one: Setting<unknown>, environment: NodeJS.ProcessEnv): unknown {
  const text = environment[one.variable] ?? one.fallback;
  if (text === undefined) {
    throw invalid(one.variable, `${one.variable} must be set: ${one.description}`);
  }
  const result = one.schema.safeParse(text);
  if (!result.success) {
    const problem = result.error.issues.map((issue) => issue.message).join('; ');
    const given = one.secret ? one.variable : `${one.variable}="${text}"`;
    throw invalid(one.variable, `${given} is not valid: ${problem}`);
  }
  return result.data;
}

function invalid(variable: string, message: string): HoldfastError {
  return new HoldfastError('INVALID_SETTING', message, { setting: variable });
}
