import { CommandFlag } from '../constants/command-flags.js';
import { Command } from '../constants/commands.js';
import type { RequestHeader } from './messages/request.js';

/** FLUSH and FUA take milliseconds: the answers before them are not held back for that long. */
export function waitsForTheDisk({ type, flags }: Readonly<RequestHeader>): boolean {
  return type === Command.FLUSH || (type !== Command.READ && (flags & CommandFlag.FUA) !== 0);
}
