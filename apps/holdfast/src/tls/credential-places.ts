/** Folders and files by the names that libnbd, QEMU, nbdkit and holdfast look for. */
export const place = {
  authority: 'ca',
  server: 'server',
  client: (name: string) => `clients/${name}`,
  psk: 'psk',
  pskFile: 'psk/keys.psk',
} as const;
