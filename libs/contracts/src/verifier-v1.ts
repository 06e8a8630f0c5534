export * from './generated/holdfast/verifier/v1/allocator.js';
export * from './generated/holdfast/verifier/v1/chunks.js';
export * from './generated/holdfast/verifier/v1/map.js';
export * from './generated/holdfast/verifier/v1/program.js';
export * from './generated/holdfast/verifier/v1/table.js';
export * from './generated/holdfast/verifier/v1/verifier.js';
