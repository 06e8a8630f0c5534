import { serverText } from '@holdfast/nbd-client';
import type { ExportFacts } from './export-facts.js';
import { humanSize } from './human-size.js';

/** What is true of the connection, by the key names of `nbdinfo --json`. */
export function connectionJson({ replyMode, isSecure }: Pick<ExportFacts, 'replyMode' | 'isSecure'>) {
  return {
    // Servers of other handshakes are not talked to at all.
    protocol: 'newstyle-fixed',
    TLS: isSecure,
    structured: replyMode !== 'simple',
    extended: replyMode === 'extended',
  };
}

const packets = { simple: 'simple', structured: 'structured', extended: 'extended' } as const;

export function connectionLine({ replyMode, isSecure }: Pick<ExportFacts, 'replyMode' | 'isSecure'>): string {
  return `protocol: newstyle-fixed ${isSecure ? 'with' : 'without'} TLS, using ${packets[replyMode]} packets`;
}

/** What is true of an export, by the key names of `nbdinfo --json`; what the server does not tell is undefined. */
export function exportJson({ uri, info, contexts, abilities }: ExportFacts) {
  return {
    'export-name': info.canonicalName ?? info.name,
    description: info.description === '' ? undefined : info.description,
    uri,
    contexts,
    ...abilities,
    block_size_minimum: info.blockSize?.minimum,
    block_size_preferred: info.blockSize?.preferred,
    block_size_maximum: info.blockSize?.payloadMaximum,
    'export-size': info.sizeBytes,
    'export-size-str': humanSize(info.sizeBytes),
  };
}

/** The same for a person, line by line. */
export function exportLines(facts: ExportFacts): string[] {
  const { uri, info, contexts, abilities } = facts;
  const json = exportJson(facts);
  const lines: string[] = [];
  const tell = (name: string, value: string | undefined) => {
    if (value !== undefined) lines.push(`\t${name}: ${value}`);
  };
  tell('description', json.description && serverText(json.description));
  tell('export-size', withUnit(info.sizeBytes));
  tell('uri', uri);
  if (contexts !== undefined) lines.push('\tcontexts:', ...contexts.map((name) => `\t\t${serverText(name)}`));
  for (const [name, is] of Object.entries(abilities)) tell(name, String(is));
  const sizes = info.blockSize;
  tell('block_size_minimum', sizes && withUnit(BigInt(sizes.minimum)));
  tell('block_size_preferred', sizes && withUnit(BigInt(sizes.preferred)));
  tell('block_size_maximum', sizes && withUnit(BigInt(sizes.payloadMaximum)));
  return [`export=${JSON.stringify(json['export-name'])}:`, ...lines];
}

function withUnit(bytes: bigint): string {
  const short = humanSize(bytes);
  return short === String(bytes) ? short : `${String(bytes)} (${short})`;
}
