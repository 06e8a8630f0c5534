import { absolutePath, flag, logLevel, optionalPath } from './schemas.js';
import { setting } from './settings.js';

/** What every service needs to know. */
export const commonSettings = {
  stateFolder: setting(
    'HOLDFAST_STATE',
    absolutePath,
    undefined,
    'Folder with the sockets by which the services meet, and the SQLite database.',
  ),
  logLevel: setting('HOLDFAST_LOG_LEVEL', logLevel, 'info', 'Least severe level that is logged.'),
  supervised: setting(
    'HOLDFAST_SUPERVISED',
    flag,
    '0',
    'Set by the supervisor: standard input is a pipe, and its end means that the supervisor is gone, so the service stops.',
  ),
  faultPoints: setting(
    'HOLDFAST_FAULT_POINTS',
    optionalPath,
    '',
    'For tests of crashes only: a folder; the service stops where a file in it is named after a step, until it is removed.',
  ),
} as const;
