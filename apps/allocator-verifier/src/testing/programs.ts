/** Allocates from an allocator into `entry` of a field, and frees what was there. */
export const filling = (name: string, allocator: string, field: string): string => `program ${name}(entry) {
  r1 = arg entry
  r0 = alloc ${allocator}
  if r0 is not null {
    r0 = xchg ${place(field)}, r0
    if r0 is not null {
      free r0
    }
  }
}
`;

/** Moves what `entry` of a field holds to another field, and frees what was there. */
export const moving = (name: string, from: string, to: string): string => `program ${name}(entry) {
  r1 = arg entry
  r0 = xchg ${place(from)}, null
  if r0 is not null {
    r0 = xchg ${place(to)}, r0
    if r0 is not null {
      free r0
    }
  }
}
`;

/** Takes what `entry` of a field holds, and frees it. */
export const freeing = (name: string, field: string): string => `program ${name}(entry) {
  r1 = arg entry
  r0 = xchg ${place(field)}, null
  if r0 is not null {
    free r0
  }
}
`;

/** Allocates from an allocator, and frees that without storing it. */
export const passing = (name: string, allocator: string): string => `program ${name} {
  r0 = alloc ${allocator}
  if r0 is not null {
    free r0
  }
}
`;

function place(field: string): string {
  const [map = '', name = ''] = field.split('.');
  return `${map}[r1].${name}`;
}
