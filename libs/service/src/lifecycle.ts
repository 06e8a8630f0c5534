/**
 * What a service does around its gRPC server. Nest's own shutdown hooks run only after the server has closed, which
 * waits for every open stream; so starting and stopping are told to one object of the service, in this order.
 */
export interface Lifecycle {
  /** gRPC answers already; ends with `ServiceHealth.ready()`, or arranges for it. */
  start(): Promise<void>;
  /** Finishes what is under way and ends the streams, while gRPC still answers. */
  drain(): Promise<void>;
  /** Lets go of everything; gRPC does not answer any more. */
  release(): Promise<void>;
}
