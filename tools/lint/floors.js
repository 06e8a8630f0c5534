/**
 * The floors of the house (docs/explanation/architecture.md): an import goes to a lower floor only, apps never import
 * apps, and three libraries are locked to the rooms that wrap them. Told to ESLint as `no-restricted-imports`.
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** Rooms of floors 0–2 that touch the machine by nature; all others there do no I/O. */
const touchesMachine = new Set(['libs/linux', 'libs/contracts']);

const lockedLibraries = [
  {
    pattern: 'koffi',
    rooms: ['libs/linux'],
    reason: 'FFI stays behind the typed handles of @holdfast/linux.',
  },
  {
    pattern: '(@prisma/|better-sqlite3|pg$)',
    rooms: ['libs/store'],
    reason: 'The database stays behind the repositories of @holdfast/store.',
  },
  {
    pattern: '@nestjs/',
    rooms: [
      'libs/service',
      'apps/allocator-verifier',
      'apps/device-registry',
      'apps/io-worker',
      'apps/nbd-gateway',
    ],
    reason: 'Nest belongs to services.',
  },
];

const machineModules = [
  'fs',
  'fs/promises',
  'net',
  'tls',
  'http',
  'child_process',
  'worker_threads',
  'os',
  'timers',
];

function readRooms() {
  return ['libs', 'apps'].flatMap((wing) =>
    readdirSync(path.join(root, wing)).map((folder) => {
      const manifest = JSON.parse(readFileSync(path.join(root, wing, folder, 'package.json'), 'utf8'));
      const floor = manifest.nx?.tags?.find((tag) => tag.startsWith('floor:'));
      if (floor === undefined) throw new Error(`${wing}/${folder}/package.json has no floor tag`);
      return { place: `${wing}/${folder}`, name: manifest.name, floor: Number(floor.slice('floor:'.length)) };
    }),
  );
}

function forbiddenFor(room, rooms) {
  const upward = rooms
    .filter((other) => other.floor >= room.floor && other.name !== room.name)
    .map((other) => ({
      regex: `^${other.name}(/|$)`,
      message: `${room.place} is on floor ${room.floor}; ${other.place} on floor ${other.floor} is not below it.`,
    }));
  const locked = lockedLibraries
    .filter((library) => !library.rooms.includes(room.place))
    .map((library) => ({ regex: `^${library.pattern}`, message: library.reason }));
  const pure = room.floor <= 2 && !touchesMachine.has(room.place);
  const machine = pure
    ? [
        {
          regex: `^(node:)?(${machineModules.join('|')})$`,
          message: 'Floors 0–2 do no I/O and know no clock.',
        },
      ]
    : [];
  return [...upward, ...locked, ...machine];
}

export function floorRules() {
  const rooms = readRooms();
  return rooms.map((room) => ({
    files: [`${room.place}/src/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: forbiddenFor(room, rooms) }] },
  }));
}
