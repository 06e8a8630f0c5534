/** Under which circumstances loads run: where the image lies, what the page cache has of it, how servers open it. */

/** @import { Load, Scene, SceneName } from './types.js' */

/** In the order in which they run: the cold ones last, since they leave a cache behind that is like no other. */
/** @type {Record<SceneName, Scene>} */
export const scenes = {
  warm: { name: 'warm', mode: 'plain', storage: 'disk', cache: 'warm' },
  tls: { name: 'tls', mode: 'tls', storage: 'disk', cache: 'warm', imageBytesMax: 256 << 20 },
  tmpfs: { name: 'tmpfs', mode: 'plain', storage: 'tmpfs', cache: 'warm' },
  cold: { name: 'cold', mode: 'plain', storage: 'disk', cache: 'cold' },
  direct: { name: 'direct', mode: 'direct', storage: 'disk', cache: 'cold' },
};

/**
 * @param {Scene} scene
 * @param {number} sizeBytes that was asked for
 */
export function imageBytesOf({ imageBytesMax = Infinity }, sizeBytes) {
  return Math.min(imageBytesMax, sizeBytes);
}

/**
 * The loads in groups that share their servers. Servers are started anew before the writes.
 * @param {readonly Load[]} loads
 * @returns {{ scene: Scene, name: string, loads: Load[] }[]}
 */
export function groupsOf(loads) {
  return Object.values(scenes).flatMap((scene) => {
    const own = loads.filter((load) => load.scene === scene.name);
    const groups = [
      { scene, name: `${scene.name}-reads`, loads: own.filter((load) => load.op === 'read') },
      { scene, name: `${scene.name}-writes`, loads: own.filter((load) => load.op !== 'read') },
    ];
    return groups.filter((group) => group.loads.length > 0);
  });
}
