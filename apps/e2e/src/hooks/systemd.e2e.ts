import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, start, succeed, type Finished } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { holdfastProgram } from '../support/holdfast-program.js';
import { startHoldfast, type Holdfast } from '../support/holdfast.js';
import { makeImage, MIB } from '../support/image.js';
import { NbdSession } from '../support/nbd-session.js';
import { requireCommands } from '../support/requirements.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { hooks } from './hook-config.js';
import { SystemdUnit } from './systemd-unit.js';

const needs = requireCommands('systemd-escape');
const INSTALLED = '/usr/local/bin/holdfast';

function unitOf(file: string, device = ''): SystemdUnit {
  const escaped =
    device === '' ? '' : execFileSync('systemd-escape', ['--', device], { encoding: 'utf8' }).trim();
  return new SystemdUnit(path.join(hooks, 'systemd', file), { escaped, name: device });
}

/** Runs the lines of a unit, each by its words, and gives the outcome of the only one. */
async function carryOut(
  unit: SystemdUnit,
  key: 'ExecStart' | 'ExecStop',
  file: Readonly<Record<string, string>>,
): Promise<Finished> {
  const environment = unit.environment(file);
  const [command, ...more] = unit.commands(key, environment);
  if (command === undefined || more.length > 0) throw new Error(`${key} is not one line`);
  const [program, ...args] = command;
  expect(program).toBe(INSTALLED);
  return run(holdfastProgram, args, { env: environment });
}

describe.skipIf(needs.missing)(`the unit that attaches a device ${needs.note}`, () => {
  let holdfast: Holdfast;
  const names = ['vm1', "db-1 it's", '%n $HOME ${HOLDFAST_STATE}', '--force'];

  beforeAll(async () => {
    holdfast = await startHoldfast({ images: [makeImage(MIB)] });
    for (const name of names) {
      const options = ['--state', holdfast.state, '--path', makeImage(MIB)];
      await succeed(holdfastProgram, ['device', 'add', ...options, '--', name]);
    }
    await holdfast.cli('export', 'add', 'vm1', '--device', 'vm1');
  }, 120_000);

  const attach = (key: 'ExecStart' | 'ExecStop', name: string, deadline = '1') =>
    carryOut(unitOf('holdfast-attach@.service', name), key, {
      HOLDFAST_STATE: holdfast.state,
      HOLDFAST_DETACH_DEADLINE: deadline,
    });

  async function stateOf(name: string): Promise<string | undefined> {
    const { stdout } = await run(holdfastProgram, [
      'device',
      'show',
      '--state',
      holdfast.state,
      '--json',
      '--',
      name,
    ]);
    return (JSON.parse(stdout) as { attachment?: { state: string } }).attachment?.state;
  }

  it.each(names)('attaches %j at start, and detaches it at stop', async (name) => {
    expect(await attach('ExecStart', name)).toMatchObject({ code: 0, stderr: '' });
    expect(await stateOf(name)).toBe('STATE_CONNECTED');
    expect((await attach('ExecStop', name)).code).toBe(0);
    expect(await stateOf(name)).toBe('STATE_RELEASED');
  });

  it('fails to start when there is no such device', async () => {
    expect((await attach('ExecStart', 'misspelt')).code).not.toBe(0);
  });

  it('Law 1 stop waits for the deadline, then fails and leaves the device to who uses it', async () => {
    await attach('ExecStart', 'vm1');
    const session = await NbdSession.open(holdfast, 'vm1');
    const refused = await attach('ExecStop', 'vm1', '0.2');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('DEVICE_IN_USE');
    expect(await stateOf('vm1')).toBe('STATE_CONNECTED');
    const waiting = attach('ExecStop', 'vm1', '60');
    session.hangUp();
    expect((await waiting).code).toBe(0);
    expect(await stateOf('vm1')).toBe('STATE_RELEASED');
  });
});

describe('the unit of holdfast itself', () => {
  it('serves as its lines say, and counts as started only when devices can be attached', async () => {
    const unit = unitOf('holdfast.service');
    const state = path.join(scratchFolder(), 'state');
    const environment = unit.environment({
      HOLDFAST_STATE: state,
      HOLDFAST_SERVE_OPTIONS: `--listen none --socket ${path.join(scratchFolder(), 'nbd.sock')}`,
    });
    const [serve = []] = unit.commands('ExecStart', environment);
    const serving = start(holdfastProgram, serve.slice(1), { env: environment });
    const [[shell = '', ...script] = []] = unit.commands('ExecStartPost', environment);
    const started = await run(
      shell,
      script.map((word) => word.replaceAll(INSTALLED, holdfastProgram)),
      { env: environment },
    );
    expect(started.code).toBe(0);
    const { code } = await run(holdfastProgram, ['device', 'list', '--state', state]);
    expect(code).toBe(0);
    serving.child.kill('SIGTERM');
    expect((await serving.finished).code).toBe(0);
    await eventually('its socket to go', async () => {
      return (await run(holdfastProgram, ['status', '--state', state])).code === 2;
    });
  });
});
