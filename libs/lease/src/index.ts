export * from './access.js';
export * from './attachment-state.js';
export * from './identity.js';
export * from './lease-state.js';
export * from './releasable.js';
