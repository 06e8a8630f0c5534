/** Grants leases on the device given until it is killed, and says the number of each once it is granted. */
import { openStore } from '../../store.js';

const [url = '', deviceId = ''] = process.argv.slice(2);
const store = await openStore({ url });
for (let count = 1; ; count += 1) {
  const session = `session-${String(count)}`;
  const { number } = await store.leases.grant({
    deviceId,
    access: 'READ_WRITE',
    clientGroup: '',
    session,
    workerInstance: 'w',
  });
  process.stdout.write(`${String(number)}\n`);
}
