import { chmodSync } from 'node:fs';
import { createServer, type AddressInfo, type ListenOptions, type Server, type Socket } from 'node:net';
import { formatTcpAddress, HoldfastError, type TcpAddress } from '@holdfast/foundation';
import { takeOverSocketPath, type Logger } from '@holdfast/service';
import type { Endpoints } from '../export/endpoints.js';

/** Dead TCP peers are noticed after this long in silence. */
const KEEPALIVE_IDLE_MS = 60_000;

export interface ListenAddresses {
  readonly tcp: TcpAddress | undefined;
  readonly unixPath: string;
}

/** The NBD listening sockets. */
export class Listeners {
  readonly #endpoints: Endpoints;
  readonly #onConnection: (socket: Socket) => void;
  readonly #logger: Logger;
  readonly #servers: Server[] = [];

  constructor(endpoints: Endpoints, onConnection: (socket: Socket) => void, logger: Logger) {
    this.#endpoints = endpoints;
    this.#onConnection = onConnection;
    this.#logger = logger;
  }

  /** @throws HoldfastError PORT_IN_USE naming the address */
  async listen({ tcp, unixPath }: ListenAddresses): Promise<void> {
    if (tcp !== undefined) {
      const server = await this.#listen(tcp, formatTcpAddress(tcp));
      // Port 0 asks the kernel for a free one.
      this.#endpoints.tcp = { host: tcp.host, port: (server.address() as AddressInfo).port };
    }
    await takeOverSocketPath(unixPath);
    await this.#listen({ path: unixPath }, unixPath);
    chmodSync(unixPath, 0o600);
    this.#endpoints.unixPath = unixPath;
  }

  /** Nobody new is accepted; sockets already accepted go on. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  #listen(options: ListenOptions, address: string): Promise<Server> {
    return new Promise((resolve, reject) => {
      const server = createServer(
        {
          noDelay: true,
          keepAlive: true,
          keepAliveInitialDelay: KEEPALIVE_IDLE_MS,
          pauseOnConnect: false,
          // A client that shut its side after its last request still wants the answers.
          allowHalfOpen: true,
        },
        this.#onConnection,
      );
      // Once it listens, an error is a connection that could not be accepted (accept(2): ENOBUFS and the like).
      server.on('error', (error) => {
        if (server.listening) this.#logger.error(`a connection at ${address} was lost: ${error.message}`);
      });
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'EADDRINUSE'
            ? new HoldfastError('PORT_IN_USE', `${address} is in use by another program`, { address }, error)
            : new HoldfastError(
                'INVALID_SETTING',
                `cannot listen on ${address}: ${error.message}`,
                { address },
                error,
              ),
        );
      });
      server.listen({ ...options, backlog: 1024 }, () => {
        this.#servers.push(server);
        resolve(server);
      });
    });
  }
}
