/** What a lease permits: reading only, or reading and writing. */
export const accessKinds = ['READ_ONLY', 'READ_WRITE'] as const;

export type Access = (typeof accessKinds)[number];

export function isAccess(text: string): text is Access {
  return (accessKinds as readonly string[]).includes(text);
}

/** Whether a device may be leased for `access`: one that is open for reading only cannot be written. */
export function deviceAllows(device: { readonly readOnly: boolean }, access: Access): boolean {
  return access === 'READ_ONLY' || !device.readOnly;
}
