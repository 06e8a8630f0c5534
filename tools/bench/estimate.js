/** How long a run will take: said before it begins. */
import { warmUpSeconds } from './bench.js';
import { groupsOf, imageBytesOf, scenes } from './scenes.js';

/** @import { Load, Options, Server } from './types.js' */

/** Around each measurement: connecting, looking at the CPU time before and after. */
const aroundSeconds = 0.1;
/** After each write and before each cold read: a sync, and a pause for the kernel. */
const syncSeconds = 0.5;
/** To start and stop all servers of a group. */
const groupSeconds = 12;
/** To fill an image and read it, and bytes a second of it. */
const imageBytesPerSecond = 300e6;
/** What nbdcopy does in a second where it is slow: through TLS. */
const copyBytesPerSecond = 0.5e9;
const copyRequestsPerSecond = 50_000;

/**
 * @param {readonly Load[]} loads
 * @param {readonly Pick<Server, 'modes'>[]} servers
 * @param {Pick<Options, 'rounds' | 'seconds' | 'sizeBytes' | 'transports'>} options
 * @returns {number} seconds
 */
export function estimateSeconds(loads, servers, { rounds, seconds, sizeBytes, transports }) {
  const turns = loads.map((load) => {
    const scene = scenes[load.scene];
    const taking = servers.filter(({ modes }) => modes.includes(scene.mode)).length;
    const syncing = load.op !== 'read' || scene.cache === 'cold' ? syncSeconds : 0;
    const around = (rounds + 1) * (aroundSeconds + syncing);
    if (load.tool !== 'nbdcopy') return taking * (seconds * rounds + warmUpSeconds + around);
    const bytes = imageBytesOf(scene, sizeBytes);
    const copying = Math.max(bytes / copyBytesPerSecond, bytes / load.blockBytes / copyRequestsPerSecond);
    return taking * (copying * (rounds + 1) + around);
  });
  const measuring = turns.reduce((sum, turn) => sum + turn, 0) * transports.length;
  const groups = groupsOf(loads);
  const images = new Set(groups.map(({ scene }) => scene.storage)).size;
  return measuring + groups.length * groupSeconds + (images * sizeBytes) / imageBytesPerSecond;
}
