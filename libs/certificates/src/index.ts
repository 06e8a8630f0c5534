export * from './certificate-authority.js';
export type { AlternativeName, Issued, LeafRequest, Validity } from './certificate.js';
