import { allocatorName, deviceName, exportName, gatewayV1, mapName } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import {
  blockSizeFault,
  DEFAULT_BLOCK_SIZE,
  PAYLOAD_BYTES_MAX_DEFAULT,
  STRING_BYTES_MAX,
} from '@holdfast/nbd-protocol';
import {
  writerLimits,
  type ExportBlockSize,
  type ExportChunks,
  type ExportDefinition,
  type WriterLimit,
} from '@holdfast/store';
import { CLIENT_RULE_BYTES_MAX, CLIENT_RULES_MAX, isClientRule } from './client-rule.js';
import { parseRateLimit } from './rate-limit.js';

/** Largest limit of connections: as many as a host has ports to connect from. */
const CONNECTIONS_MAX = 65_535;

/** An export as it is asked for: of chunks it is not known yet which device they are on. */
export type WantedExport = Omit<ExportDefinition, 'deviceId'> & { readonly deviceId: string | undefined };

/**
 * The definition of an export, checked (Law 5).
 *
 * @throws HoldfastError INVALID_ARGUMENT naming the field
 */
export function parseExportDefinition(request: gatewayV1.CreateExportRequest): WantedExport {
  const wanted = request.export ?? gatewayV1.Export.fromPartial({});
  const chunks = parseChunks(wanted.chunks);
  if (chunks !== undefined && wanted.device !== '') {
    throw invalid('device', 'must be left out where chunks are: it is that of their allocator');
  }
  return {
    id: exportName.parse(exportName.format(request.exportId), 'export_id'),
    deviceId: chunks === undefined ? deviceName.parse(wanted.device, 'export.device') : undefined,
    readOnly: wanted.readOnly,
    description: parseDescription(wanted.description),
    transient: wanted.transient,
    hidden: wanted.hidden,
    tlsRequired: wanted.tlsRequired,
    allowedClients: parseAllowedClients(wanted.allowedClients),
    connectionsMax: parseConnectionsMax(wanted.connectionsMax, 'connections_max'),
    clientConnectionsMax: parseConnectionsMax(wanted.clientConnectionsMax, 'client_connections_max'),
    writers: parseWriters(wanted.writers),
    blockSize: parseBlockSize(wanted.blockSize),
    rateLimit: parseRateLimit(wanted.rateLimit),
    ...(chunks !== undefined && { chunks }),
  };
}

/** What a field of a map may be called, as the allocator-verifier has it. */
const FIELD_NAME = /^[A-Za-z]\w{0,62}$/;

function parseChunks(wanted: gatewayV1.Chunks | undefined): ExportChunks | undefined {
  if (wanted === undefined) return undefined;
  const { field } = wanted;
  if (!FIELD_NAME.test(field)) throw invalid('chunks.field', 'must be the name of a field');
  return {
    map: mapName.parse(wanted.map, 'export.chunks.map'),
    field,
    allocator: allocatorName.parse(wanted.allocator, 'export.chunks.allocator'),
  };
}

function parseDescription(description: string): string {
  if (Buffer.byteLength(description) <= STRING_BYTES_MAX) return description;
  throw invalid('description', `must be at most ${String(STRING_BYTES_MAX)} bytes`);
}

/** In an order of their own, each once: who says the same twice means the same export. */
function parseAllowedClients(rules: readonly string[]): string[] {
  if (rules.length > CLIENT_RULES_MAX) {
    throw invalid('allowed_clients', `must be at most ${String(CLIENT_RULES_MAX)}`);
  }
  for (const rule of rules) {
    if (isClientRule(rule)) continue;
    throw invalid(
      'allowed_clients',
      `has "${rule.slice(0, 80)}", which is none of 192.0.2.7, 10.0.0.0/8, 2001:db8::/32, uid:1000 and ` +
        `certificate:NAME (of at most ${String(CLIENT_RULE_BYTES_MAX)} bytes)`,
    );
  }
  return [...new Set(rules)].sort();
}

function parseConnectionsMax(count: number, field: string): number {
  if (count <= CONNECTIONS_MAX) return count;
  throw invalid(field, `must be at most ${String(CONNECTIONS_MAX)}`);
}

export const writersCodes: Readonly<Record<WriterLimit, gatewayV1.Export_Writers>> = {
  ANY: gatewayV1.Export_Writers.WRITERS_ANY,
  ONE_CLIENT: gatewayV1.Export_Writers.WRITERS_ONE_CLIENT,
  ONE_CONNECTION: gatewayV1.Export_Writers.WRITERS_ONE_CONNECTION,
};

function parseWriters(code: gatewayV1.Export_Writers): WriterLimit {
  if (code === gatewayV1.Export_Writers.WRITERS_UNSPECIFIED) return 'ANY';
  const known = writerLimits.find((limit) => writersCodes[limit] === code);
  // The wire carries any number, whatever the type says.
  if (known === undefined) throw invalid('writers', 'must be ANY, ONE_CLIENT or ONE_CONNECTION');
  return known;
}

/** T5; 0 is the default. */
function parseBlockSize(wanted: gatewayV1.BlockSize | undefined): ExportBlockSize {
  const minimum = givenOr(wanted?.minimum, DEFAULT_BLOCK_SIZE.minimum);
  const preferred = givenOr(wanted?.preferred, Math.max(DEFAULT_BLOCK_SIZE.preferred, minimum));
  const payloadMaximum = givenOr(wanted?.payloadMaximum, DEFAULT_BLOCK_SIZE.payloadMaximum);
  const required = wanted?.required ?? false;

  const fault = blockSizeFault({ minimum, preferred, payloadMaximum });
  if (fault !== undefined) throw invalid('block_size', `is impossible: ${fault}`);
  if (payloadMaximum > PAYLOAD_BYTES_MAX_DEFAULT) {
    throw invalid('block_size.payload_maximum', `must be at most ${String(PAYLOAD_BYTES_MAX_DEFAULT)}`);
  }
  // "The server SHOULD NOT send this error if it is using default block size constraints."
  if (
    required &&
    minimum === DEFAULT_BLOCK_SIZE.minimum &&
    payloadMaximum === DEFAULT_BLOCK_SIZE.payloadMaximum
  ) {
    throw invalid('block_size.required', 'needs a minimum or a payload_maximum other than the default');
  }
  return { minimum, preferred, payloadMaximum, required };
}

function givenOr(value: number | undefined, fallback: number): number {
  return value === undefined || value === 0 ? fallback : value;
}

function invalid(field: string, problem: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `export.${field} ${problem}`, { field: `export.${field}` });
}
