export * from './generated/holdfast/registry/v1/device.js';
export * from './generated/holdfast/registry/v1/identity.js';
export * from './generated/holdfast/registry/v1/lease.js';
export * from './generated/holdfast/registry/v1/registry.js';
export * from './generated/holdfast/registry/v1/remote.js';
export * from './generated/holdfast/registry/v1/reservation.js';
