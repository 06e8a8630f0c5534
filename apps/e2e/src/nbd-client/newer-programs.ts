import { newerClients, requireNewerClients } from '../support/newer-clients.js';
import type { Launcher } from './servers.js';

export const newerPrograms = requireNewerClients;

export const newer: Launcher = [newerClients];
