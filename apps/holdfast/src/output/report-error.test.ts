import { errorCatalogue, HoldfastError } from '@holdfast/foundation';
import { CommanderError } from 'commander';
import { beforeEach, describe, expect, test } from 'vitest';
import { ExitCode } from '../exit-code.js';
import { capturePrinted, type Printed } from '../testing/printed.js';
import { reportError, wantsJson } from './report-error.js';

let printed: Printed;

beforeEach(() => {
  printed = capturePrinted();
});

const absent = new HoldfastError('DEVICE_NOT_FOUND', 'There is no device vm1.', { device: 'vm1' });

describe('an error of ours', () => {
  test('is one sentence with its stable code', () => {
    expect(reportError(absent, false)).toBe(ExitCode.no);
    expect(printed).toEqual({ stdout: '', stderr: 'holdfast: There is no device vm1. (DEVICE_NOT_FOUND)\n' });
  });

  test('is one JSON object on one line where JSON is wanted', () => {
    expect(reportError(absent, true)).toBe(ExitCode.no);
    expect(printed.stdout).toBe('');
    expect(printed.stderr).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(printed.stderr)).toEqual({
      error: {
        code: 'DEVICE_NOT_FOUND',
        status: 'NOT_FOUND',
        message: 'There is no device vm1.',
        recovery: errorCatalogue.DEVICE_NOT_FOUND.recovery,
        metadata: { device: 'vm1' },
      },
    });
  });

  test('of a service that does not answer is followed by where to look', () => {
    const down = new HoldfastError('SERVICE_UNAVAILABLE', 'no answer from unix:/s');
    expect(reportError(down, false)).toBe(ExitCode.failed);
    expect(printed.stderr.split('\n')).toEqual([
      'holdfast: no answer from unix:/s (SERVICE_UNAVAILABLE)',
      errorCatalogue.SERVICE_UNAVAILABLE.recovery,
      '',
    ]);
  });
});

test('a server that cannot be reached is followed by where to look', () => {
  const refused = new HoldfastError('NBD_SERVER_UNREACHABLE', 'nothing listens there');
  expect(reportError(refused, false)).toBe(ExitCode.failed);
  expect(printed.stderr).toBe(
    `holdfast: nothing listens there (NBD_SERVER_UNREACHABLE)\n${errorCatalogue.NBD_SERVER_UNREACHABLE.recovery}\n`,
  );
});

test('what the user stopped is told apart from what failed', () => {
  expect(reportError(new HoldfastError('COPY_INTERRUPTED', 'stopped'), false)).toBe(ExitCode.interrupted);
});

describe('a bug', () => {
  test('shows where it is', () => {
    expect(reportError(new TypeError('x is undefined'), false)).toBe(ExitCode.failed);
    expect(printed.stderr).toMatch(/^holdfast: x is undefined \(INTERNAL\)\nTypeError: x .*\n +at /);
  });

  test('is INTERNAL in JSON', () => {
    expect(reportError('thrown text', true)).toBe(ExitCode.failed);
    expect(JSON.parse(printed.stderr)).toMatchObject({ error: { code: 'INTERNAL', message: 'thrown text' } });
  });
});

describe('wrong usage', () => {
  const wrong = new CommanderError(1, 'commander.unknownOption', "error: unknown option '--bogus'");

  test('was told by the parser already', () => {
    expect(reportError(wrong, false)).toBe(ExitCode.usage);
    expect(printed.stderr).toBe('');
  });

  test('has a code where JSON is wanted', () => {
    expect(reportError(wrong, true)).toBe(ExitCode.usage);
    expect(JSON.parse(printed.stderr)).toMatchObject({
      error: { code: 'INVALID_ARGUMENT', message: "unknown option '--bogus'" },
    });
  });

  test('is not what help and version are', () => {
    expect(reportError(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), true)).toBe(0);
    expect(printed.stderr).toBe('');
  });
});

test.each([
  [['status', '--json'], true],
  [['--bogus', '--json'], true],
  [['status'], false],
  [['serve', '--', '--json'], false],
])('whether %j wants JSON: %s', (args, wanted) => {
  expect(wantsJson(args)).toBe(wanted);
});
