import { databaseSettings, type ServiceSettings } from '@holdfast/service';

export const registrySettings = databaseSettings;

export type RegistrySettings = ServiceSettings<typeof registrySettings>;
