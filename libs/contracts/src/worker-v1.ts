export * from './generated/holdfast/worker/v1/chunks.js';
export * from './generated/holdfast/worker/v1/handover.js';
export * from './generated/holdfast/worker/v1/holding.js';
export * from './generated/holdfast/worker/v1/ledger.js';
export * from './generated/holdfast/worker/v1/session.js';
export * from './generated/holdfast/worker/v1/worker.js';
