export * from './generated/holdfast/gateway/v1/export.js';
export * from './generated/holdfast/gateway/v1/gateway.js';
export * from './generated/holdfast/gateway/v1/session.js';
