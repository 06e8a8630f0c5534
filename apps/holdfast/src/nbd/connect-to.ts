import { HoldfastError } from '@holdfast/foundation';
import {
  connect,
  NbdOptionError,
  negotiate,
  type ConnectOptions,
  type NbdConnection,
  type NbdNegotiation,
  type NbdUri,
} from '@holdfast/nbd-client';

/** Connects to the export of a URI. @throws HoldfastError whose sentence says what to do */
export function connectTo(uri: NbdUri, options: ConnectOptions = {}): Promise<NbdConnection> {
  return sayingWhatToDo(uri.exportName, () => connect(uri, options));
}

/** Begins a handshake with the server of a URI. @throws HoldfastError whose sentence says what to do */
export function negotiateWith(uri: NbdUri): Promise<NbdNegotiation> {
  return sayingWhatToDo(uri.exportName, () => negotiate(uri));
}

/** The client library says what a server refused; which command helps, only the command line knows. */
export async function sayingWhatToDo<T>(exportName: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NbdOptionError) || error.replyName !== 'ERR_UNKNOWN') throw error;
    const what = exportName === '' ? 'no default export' : `no export ${JSON.stringify(exportName)}`;
    throw new HoldfastError(
      'NBD_OPTION_REFUSED',
      `the NBD server has ${what}: see which it has by holdfast nbd list URI`,
      { ...error.metadata, export: exportName },
      error,
    );
  }
}
