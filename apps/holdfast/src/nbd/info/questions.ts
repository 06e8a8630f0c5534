import type { ExportFacts } from './export-facts.js';

/** What `--can`, `--is` and `--has` ask, with the answer that the facts give. */
export type Question = (facts: ExportFacts) => boolean;

/** By their names in nbdinfo(1). Every server can be connected to and read from once it was connected to. */
const questions: Readonly<Record<string, Question>> = {
  connect: () => true,
  read: () => true,
  write: ({ abilities }) => !abilities.is_read_only,
  cache: ({ abilities }) => abilities.can_cache,
  df: ({ abilities }) => abilities.can_df,
  'fast-zero': ({ abilities }) => abilities.can_fast_zero,
  flush: ({ abilities }) => abilities.can_flush,
  fua: ({ abilities }) => abilities.can_fua,
  'multi-conn': ({ abilities }) => abilities.can_multi_conn,
  trim: ({ abilities }) => abilities.can_trim,
  zero: ({ abilities }) => abilities.can_zero,
  'block-status-payload': ({ abilities }) => abilities.can_block_status_payload,
  'read-only': ({ abilities }) => abilities.is_read_only,
  rotational: ({ abilities }) => abilities.is_rotational,
  tls: ({ isSecure }) => isSecure,
  // Extended headers carry replies in chunks too, so nbdinfo says yes to both.
  'structured-reply': ({ replyMode }) => replyMode !== 'simple',
  'extended-headers': ({ replyMode }) => replyMode === 'extended',
};

export const questionNames: readonly string[] = Object.keys(questions);

/** Other spellings that nbdinfo takes, without blanks, `-` and `_`. */
const aliases: Readonly<Record<string, string>> = {
  sr: 'structuredreply',
  structured: 'structuredreply',
  structuredreplies: 'structuredreply',
  eh: 'extendedheaders',
  extended: 'extendedheaders',
  extendedheader: 'extendedheaders',
};

/** @returns undefined if nobody asks so */
export function findQuestion(text: string): Question | undefined {
  const plain = bare(text);
  const wanted = Object.hasOwn(aliases, plain) ? aliases[plain] : plain;
  const name = questionNames.find((one) => bare(one) === wanted);
  return name === undefined ? undefined : questions[name];
}

function bare(text: string): string {
  return text.toLowerCase().replaceAll(/[ _-]/g, '');
}
