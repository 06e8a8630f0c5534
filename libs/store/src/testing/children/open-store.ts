/** Says `ready`, waits for a line, opens the store at the URL given, and says which migrations it applied. */
import { once } from 'node:events';
import { openStore } from '../../store.js';

const [url = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
const applied: string[] = [];
const store = await openStore({ url, onMigration: (name) => applied.push(name) });
await store.devices.create({
  id: `of-${String(process.pid)}`,
  backing: { kind: 'file', path: '/image' },
  readOnly: false,
  transient: false,
});
await store.close();
process.stdout.write(`${JSON.stringify(applied)}\n`);
