export * from './generated/holdfast/supervisor/v1/supervisor.js';
