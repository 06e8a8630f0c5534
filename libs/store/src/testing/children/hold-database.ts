/** Opens the store at the URL given for itself, says `held`, and keeps it until it is killed. */
import { openStore } from '../../store.js';

const [url = ''] = process.argv.slice(2);
await openStore({ url, exclusiveTo: 'test' });
process.title = 'holdfast test';
process.stdout.write('held\n');
setInterval(() => undefined, 1_000);
