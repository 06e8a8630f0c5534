export * from './constants/command-flags.js';
export * from './constants/commands.js';
export * from './constants/errors.js';
export * from './constants/handshake-flags.js';
export * from './constants/info-types.js';
export * from './constants/magic.js';
export * from './constants/option-replies.js';
export * from './constants/options.js';
export * from './constants/transmission-flags.js';
export * from './handshake/client-flags.js';
export * from './handshake/export-name-reply.js';
export * from './handshake/greeting.js';
export * from './handshake/handshake-request.js';
export type { HandshakePhase } from './handshake/handshake-state.js';
export * from './handshake/info-block-size.js';
export * from './handshake/info-description.js';
export * from './handshake/info-export.js';
export * from './handshake/info-name.js';
export * from './handshake/info-request.js';
export * from './handshake/malformed-option.js';
export * from './handshake/meta-context.js';
export * from './handshake/meta-context-request.js';
export * from './handshake/option-header.js';
export * from './handshake/option-reply.js';
export * from './handshake/rep-meta-context.js';
export * from './handshake/rep-server.js';
export type * from './handshake/reply-mode.js';
export { ServerHandshake } from './handshake/server-handshake.js';
export * from './limits.js';
export * from './transmission/offer.js';
export * from './transmission/request.js';
export * from './transmission/simple-reply.js';
export * from './transmission/step.js';
export * from './transmission/step-operands.js';
export type * from './transmission/transmission-counters.js';
export type {
  TransmissionBuffers,
  TransmissionFacts,
  TransmissionOptions,
} from './transmission/transmission-facts.js';
export { TransmissionMachine } from './transmission/transmission-machine.js';
export { validate } from './transmission/validate.js';
