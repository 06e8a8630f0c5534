/** The command line. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { loads } from './loads.js';
import { servers, usualServers } from './servers/all.js';

/** @import { Options, Transport } from './types.js' */

/** @param {readonly { name: string }[]} things */
const commas = (things) => things.map((thing) => thing.name).join(',');
/** @param {readonly { name: string }[]} things */
const names = (things) => commas(things).replaceAll(',', ', ');

export const usage = `Usage: ./tools/bench/run [OPTION]...
Compares holdfast with the NBD servers installed here, in interleaved rounds.

  --rounds N          rounds of each load (default 5)
  --seconds S         length of one measurement (default 1)
  --loads PATTERN     only loads whose name matches this regular expression
  --servers LIST      separated by commas, or all (default ${commas(usualServers)})
  --transport WHICH   tcp, unix or both (default both)
  --replies KIND      simple, structured, or offered (structured where the server has them), for the loads of our own
                      generator that do not say it in their name (default simple)
  --size SIZE         of the image, as in 256M or 1G (default 1G)
  --image-folder DIR  where the image lies (default: the folder for temporary files)
  --tmpfs-folder DIR  where the image of the tmpfs loads lies (default /dev/shm)
  --memory            measure memory instead: each server with 0, 1, 16, 256 and 1,000 idle clients
  --json FILE         every single measurement, for later
  --report FILE       an HTML page with plots and the whole table
  --from FILE         measure nothing, report on what --json wrote; may be repeated, to have speed and memory on one page
  --help

Loads: ${names(loads)}.
Servers: ${names([...servers.values()])}.
`;

/** A mistake on the command line: said without a stack, exit code 2. */
export class UsageError extends Error {}

/**
 * @param {string[]} argv
 * @returns {Options | 'help'}
 */
export function readOptions(argv) {
  const values = parse(argv);
  if (values.help === true) return 'help';
  return {
    rounds: positive('--rounds', values.rounds, Number.isInteger),
    seconds: positive('--seconds', values.seconds, Number.isFinite),
    loads: pattern(values.loads),
    servers: serverNames(values.servers),
    transports: transports(values.transport),
    replies: replies(values.replies),
    sizeBytes: size(values.size),
    imageFolder: values['image-folder'],
    tmpfsFolder: values['tmpfs-folder'],
    memory: values.memory,
    json: values.json,
    report: values.report,
    from: values.from,
  };
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      options: {
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '1' },
        loads: { type: 'string', default: '' },
        servers: { type: 'string', default: commas(usualServers) },
        transport: { type: 'string', default: 'both' },
        replies: { type: 'string', default: 'simple' },
        size: { type: 'string', default: '1G' },
        'image-folder': { type: 'string', default: tmpdir() },
        'tmpfs-folder': { type: 'string', default: '/dev/shm' },
        memory: { type: 'boolean', default: false },
        json: { type: 'string' },
        report: { type: 'string' },
        from: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} name
 * @param {string} text
 * @param {(value: number) => boolean} isFit
 */
function positive(name, text, isFit) {
  const value = Number(text);
  if (!(value > 0) || !isFit(value)) throw new UsageError(`${name} takes a positive number, not "${text}"`);
  return value;
}

/** @param {string} text */
function pattern(text) {
  try {
    return new RegExp(text);
  } catch {
    throw new UsageError(`--loads takes a regular expression, not "${text}"`);
  }
}

/** @param {string} text */
function serverNames(text) {
  const chosen = text === 'all' ? [...servers.keys()] : text.split(',');
  const unknown = chosen.find((name) => !servers.has(name));
  if (unknown !== undefined)
    throw new UsageError(`no server "${unknown}"; there are ${names([...servers.values()])}`);
  return [...new Set(chosen)];
}

/**
 * @param {string} text
 * @returns {Transport[]}
 */
function transports(text) {
  if (text === 'both') return ['unix', 'tcp'];
  if (text === 'unix' || text === 'tcp') return [text];
  throw new UsageError(`--transport takes tcp, unix or both, not "${text}"`);
}

/**
 * @param {string} text
 * @returns {Options['replies']}
 */
function replies(text) {
  if (text === 'simple' || text === 'structured' || text === 'offered') return text;
  throw new UsageError(`--replies takes simple, structured or offered, not "${text}"`);
}

/** @param {string} text */
function size(text) {
  const parts = /^(?<count>\d+)(?<unit>[MG])$/.exec(text)?.groups;
  const bytes = Number(parts?.['count']) * (parts?.['unit'] === 'G' ? 1 << 30 : 1 << 20);
  // The largest load keeps 4 MiB in flight, and a tiny image would be all cache hits in the processor.
  if (!(bytes >= 64 << 20)) throw new UsageError(`--size takes 64M or more, as in 256M or 1G, not "${text}"`);
  return bytes;
}
