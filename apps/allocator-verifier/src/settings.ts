import { databaseSettings, type ServiceSettings } from '@holdfast/service';

export const verifierSettings = databaseSettings;

export type VerifierSettings = ServiceSettings<typeof verifierSettings>;
