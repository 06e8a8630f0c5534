/** Every server the bench knows. A new one is a file beside this and a line here. */
import { holdfast } from './holdfast.js';
import { nbdServer, nbdServer1 } from './nbd-server.js';
import { nbdkit, nbdkit4 } from './nbdkit.js';
import { qemuNbd, qemuNbdThreads } from './qemu-nbd.js';

/** @import { Server } from '../types.js' */

/** What is compared unless `--servers` says otherwise. */
export const usualServers = [holdfast, nbdkit, qemuNbd, nbdServer];

/** The peers once more, tuned otherwise. */
const variants = [nbdkit4, qemuNbdThreads, nbdServer1];

/** @type {Map<string, Server>} */
export const servers = new Map([...usualServers, ...variants].map((server) => [server.name, server]));
