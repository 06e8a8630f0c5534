import { once } from 'node:events';

/** Writes to standard output, and waits while its reader is behind: what is printed may be longer than memory. */
export async function printOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** A reader that has seen enough, as `head`, closes the pipe: that is no failure, and there is nothing more to do. */
export function endWithReader(): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}
