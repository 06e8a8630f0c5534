/** docs/reference/api.md: the gRPC contracts, in the words of their comments. */
import { readContracts } from '../contracts.js';
import { anchorOf, blocks, table } from '../markdown.js';
import { built } from '../places.js';

/** @import { Contract, ContractEnum, ContractMessage, ContractService, Page } from '../types.js' */

/**
 * Whose package it is, and who may call.
 *
 * @type {Readonly<Record<string, { service: string, socket: string, callers: string }>>}
 */
const owners = {
  'holdfast.registry.v1': {
    service: 'device-registry',
    socket: 'registrySocket',
    callers: 'For users (devices, listing leases) and for the gateway (leases).',
  },
  'holdfast.gateway.v1': { service: 'nbd-gateway', socket: 'gatewaySocket', callers: 'For users.' },
  'holdfast.supervisor.v1': {
    service: 'holdfast serve',
    socket: 'supervisorSocket',
    callers: 'For users. Neither health nor reflection are served here.',
  },
  'holdfast.verifier.v1': { service: 'allocator-verifier', socket: 'verifierSocket', callers: 'For users.' },
  'holdfast.worker.v1': {
    service: 'io-worker',
    socket: 'workerSocket',
    callers: 'For the registry, the gateway, and the worker that takes over; users only read it.',
  },
};

const intro = `# API

The services speak gRPC on Unix sockets in the state folder, mode 0600: whoever can open the socket may call. The
contracts are the files in \`proto/holdfast\`; this page is made from their comments.

- **Resource names**: \`devices/{device}\`, \`devices/{device}/attachments/{attachment}\`, \`exports/{export}\`,
  \`sessions/{session}\`, \`leases/{number}\`, \`allocators/{allocator}\`, \`maps/{map}\`.
- **Repeating a call is safe.** Creating what exists with the same definition answers with what exists; undoing what is
  absent is OK. An operation that is under way on the same device gives ABORTED, something that is not allowed now gives
  FAILED_PRECONDITION and says who is in the way. Calls that change a device take a \`request_id\`: one that is repeated
  under its id is answered as the first time, and carried out once, whatever was killed meanwhile.
- **Errors** carry one \`google.rpc.ErrorInfo\` with a stable code: see [errors](errors.md).
- **Lists** come in pages: \`page_size\` up to 1000 (0 means 100), and \`next_page_token\` until it is empty.
- **Health** (\`grpc.health.v1\`) is served by each service, for \`""\` and for each of its services.
- **Reflection** (\`grpc.reflection.v1\` and \`v1alpha\`) describes every service and message that a process serves: a
  client needs no contracts.

With the tools of this checkout, what a service can do, and a call, look like this (the state folder is the default one):

\`\`\`bash
socket=\${XDG_STATE_HOME:-$HOME/.local/state}/holdfast/device-registry.sock
npx buf curl --protocol grpc --unix-socket "$socket" --list-methods http://localhost
npx buf curl --protocol grpc --unix-socket "$socket" \\
  http://localhost/holdfast.registry.v1.DeviceService/ListDevices
\`\`\``;

/**
 * A type, linked where it is described here.
 *
 * @param {string} type
 * @param {ReadonlySet<string>} known
 * @returns {string}
 */
function link(type, known) {
  const map = /^map<(.+), (.+)>$/.exec(type);
  if (map !== null) return `map of ${link(map[1] ?? '', known)} to ${link(map[2] ?? '', known)}`;
  const words = type.replace(/^google\.protobuf\./, '').replace(/^holdfast\.\w+\.v\d+\./, '');
  return known.has(type) ? `[${words}](#${anchorOf(type)})` : words;
}

/**
 * @param {string} scope
 * @param {ContractService} service
 * @param {ReadonlySet<string>} known
 */
function renderService(scope, { name, comment, methods }, known) {
  const rows = methods.map((method) => [
    `\`${method.name}\``,
    link(method.request, known),
    `${method.streams ? 'stream of ' : ''}${link(method.response, known)}`,
    method.comment,
  ]);
  return blocks(`### ${scope}.${name}`, comment, table(['RPC', 'Request', 'Answer', 'What it does'], rows));
}

/**
 * @param {string} scope
 * @param {ContractMessage} message
 * @param {ReadonlySet<string>} known
 */
function renderMessage(scope, { name, comment, fields }, known) {
  const rows = fields.map(({ name: field, type, qualifier, comment: words }) => [
    `\`${field}\``,
    `${qualifier} ${link(type, known)}`.trim(),
    words,
  ]);
  const body = rows.length === 0 ? 'No fields.' : table(['Field', 'Type', 'Meaning'], rows);
  return blocks(`#### ${scope}.${name}`, comment, body);
}

/**
 * @param {string} scope
 * @param {ContractEnum} one
 */
function renderEnum(scope, { name, comment, values }) {
  const rows = values.map(({ name: value, number, comment: words }) => [
    `\`${value}\``,
    String(number),
    words,
  ]);
  return blocks(`#### ${scope}.${name}`, comment, table(['Value', 'Number', 'Meaning'], rows));
}

/**
 * @param {Contract} contract
 * @param {ReadonlySet<string>} known
 * @param {Readonly<Record<string, string>>} layout
 */
function renderContract({ package: scope, services, messages, enums }, known, layout) {
  const owner = owners[scope];
  if (owner === undefined) throw new Error(`whose package is ${scope}? Say so in tools/docs/pages/api.js`);
  return blocks(
    `## ${scope}`,
    `Served by \`${owner.service}\` at \`${layout[owner.socket]}\` in the state folder. ${owner.callers}`,
    ...services.map((service) => renderService(scope, service, known)),
    `### Messages of ${scope}`,
    ...messages.map((message) => renderMessage(scope, message, known)),
    ...enums.map((one) => renderEnum(scope, one)),
  );
}

/** @type {Page} */
export const apiPage = {
  file: 'api.md',
  source: 'proto/holdfast',
  render: async () => {
    const { stateLayout } = await built('libs/contracts/dist/state-layout.js');
    const contracts = readContracts();
    const known = new Set(
      contracts.flatMap(({ package: scope, messages, enums }) =>
        [...messages, ...enums].map(({ name }) => `${scope}.${name}`),
      ),
    );
    return blocks(intro, ...contracts.map((contract) => renderContract(contract, known, stateLayout(''))));
  },
};
