export * from './assert.js';
export * from './counted.js';
export * from './error-catalogue.js';
export * from './errors.js';
export * from './listen-address.js';
export * from './resource-id.js';
export * from './units.js';
