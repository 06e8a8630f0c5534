import { allocatorName, deviceName, verifierV1 } from '@holdfast/contracts';
import { Command, InvalidArgumentError } from 'commander';
import { printFacts, printJson, printTable } from '../output/print.js';
import { formatSize, lastSegment } from '../output/size.js';
import { forInstance, withInstance, type CommonOptions } from './common.js';
import { parseBytes } from './parse-bytes.js';

const { Allocator, AllocatorExplanation } = verifierV1;

/** A gRPC field of 32 bits holds it. */
const CHUNK_BYTES_SHOWN_MAX = 2n ** 32n - 1n;

interface CreateOptions extends CommonOptions {
  readonly device?: string;
  readonly memory?: bigint;
  readonly offset?: bigint;
  readonly length?: bigint;
  readonly chunk: number;
}

export function allocatorCommand(): Command {
  const allocator = new Command('allocator').description('Hand out the chunks of devices and memory');

  forInstance(
    allocator
      .command('create <name>')
      .description('Create an allocator on a region of a device, or on memory'),
  )
    .option(
      '--device <name>',
      'the attached device that the region is of; it stays attached while the allocator lives',
    )
    .option('--offset <bytes>', 'where the region begins (default: at its start)', parseBytes)
    .option('--length <bytes>', 'how long the region is (default: to the end of the device)', parseBytes)
    .option('--memory <bytes>', 'memory of the service instead of a device', parseBytes)
    .requiredOption('--chunk <bytes>', 'size of a chunk, a power of two from 4K to 1G', parseChunk)
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast allocator create pool1 --device disk1 --chunk 4M\n  holdfast allocator create scratch --memory 64M --chunk 64K',
    )
    .action((name: string, options: CreateOptions, command: Command) => {
      const pool = poolOf(options, command);
      return withInstance(options, async ({ allocators }) => {
        const definition = Allocator.fromPartial({ chunkBytes: options.chunk });
        const request = { allocatorId: name, allocator: { ...definition, pool } };
        show(await allocators.createAllocator(request), options);
      });
    });

  forInstance(allocator.command('list').description('List allocators')).action((options: CommonOptions) =>
    withInstance(options, async (instance) => {
      const allocators = await instance.listAllocators();
      if (options.json === true) printJson(allocators.map((one) => Allocator.toJSON(one)));
      else printTable(['NAME', 'STATE', 'POOL', 'CHUNK', 'CHUNKS', 'FREE'], allocators.map(row));
    }),
  );

  forInstance(allocator.command('show <name>').description('Show one allocator')).action(
    (name: string, options: CommonOptions) =>
      withInstance(options, async ({ allocators }) => {
        show(await allocators.getAllocator({ name: allocatorName.format(name) }), options);
      }),
  );

  forInstance(allocator.command('explain <name>').description('Tell what keeps an allocator alive')).action(
    (name: string, options: CommonOptions) =>
      withInstance(options, async ({ allocators }) => {
        const explanation = await allocators.explainAllocator({ name: allocatorName.format(name) });
        if (options.json === true) printJson(AllocatorExplanation.toJSON(explanation));
        else {
          for (const line of [sentenceOf(name, explanation), ...explanation.chain])
            process.stdout.write(`${line}\n`);
        }
      }),
  );

  forInstance(
    allocator
      .command('destroy <name>')
      .description('Destroy an allocator, once nothing relies on it any more'),
  ).action((name: string, options: CommonOptions) =>
    withInstance(options, async ({ allocators }) => {
      const { allocator: left } = await allocators.destroyAllocator({ name: allocatorName.format(name) });
      if (left !== undefined) show(left, options);
    }),
  );
  return allocator;
}

function poolOf(
  { device, memory, offset, length }: CreateOptions,
  command: Command,
): verifierV1.Allocator['pool'] {
  if ((device === undefined) === (memory === undefined)) {
    command.error('error: give either --device or --memory');
  }
  if (memory !== undefined) {
    if (offset !== undefined || length !== undefined)
      command.error('error: --offset and --length are of --device');
    return { $case: 'memory', value: { length: memory } };
  }
  return {
    $case: 'device',
    value: { device: deviceName.format(device ?? ''), offset: offset ?? 0n, length: length ?? 0n },
  };
}

function parseChunk(text: string): number {
  const bytes = parseBytes(text);
  if (bytes <= CHUNK_BYTES_SHOWN_MAX) return Number(bytes);
  throw new InvalidArgumentError('It must be a power of two from 4K to 1G.');
}

function show(allocator: verifierV1.Allocator, options: CommonOptions): void {
  if (options.json === true) {
    printJson(Allocator.toJSON(allocator));
    return;
  }
  const { capacity, free, allocated, longestRun, chunkBytes } = allocator;
  printFacts({
    name: lastSegment(allocator.name),
    state: stateOf(allocator),
    pool: poolText(allocator),
    chunk: formatSize(BigInt(chunkBytes)),
    chunks: `${String(capacity)}: ${String(allocated)} allocated, ${String(free)} free, ${String(longestRun)} in one run`,
  });
}

function row(allocator: verifierV1.Allocator): string[] {
  return [
    lastSegment(allocator.name),
    stateOf(allocator),
    poolText(allocator),
    formatSize(BigInt(allocator.chunkBytes)),
    String(allocator.capacity),
    String(allocator.free),
  ];
}

function poolText({ pool }: verifierV1.Allocator): string {
  if (pool === undefined) return '-';
  const size = formatSize(pool.value.length);
  if (pool.$case === 'memory') return `${size} of memory`;
  const { device, offset } = pool.value;
  return `${size} of ${lastSegment(device)} from byte ${offset.toString()}`;
}

/** `active`, `draining`, … */
function stateOf({ state }: verifierV1.Allocator): string {
  return verifierV1.allocator_StateToJSON(state).replace('STATE_', '').toLowerCase();
}

function sentenceOf(name: string, { allocator, values, rows }: verifierV1.AllocatorExplanation): string {
  const state = allocator === undefined ? '' : ` (${stateOf(allocator)})`;
  if (values + rows === 0n) return `nothing relies on ${name}${state}`;
  const reasons = [
    ...(values > 0n ? [`${values.toString()} of its chunks, which maps hold`] : []),
    ...(rows > 0n ? [`${rows.toString()} rows of the dependency table`] : []),
  ];
  return `${name}${state} is kept by ${reasons.join(' and ')}`;
}
