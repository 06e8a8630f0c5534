/** An object at run time. It carries its allocator: what the table can only approximate is known of it exactly. */
export interface RuntimeObject {
  readonly allocator: string;
  isFreed: boolean;
}

/** Knows every object: who allocated it, and whether it lives. */
export class Oracle {
  readonly violations: string[] = [];
  readonly #alive = new Map<string, number>();
  readonly #destroyed = new Set<string>();

  allocate(allocator: string): RuntimeObject {
    if (this.#destroyed.has(allocator)) this.violations.push(`${allocator} allocates after its destruction`);
    this.#alive.set(allocator, this.alive(allocator) + 1);
    return { allocator, isFreed: false };
  }

  /** @param believed the allocator that the table names at the free site; undefined is a placeholder */
  free(object: RuntimeObject, believed: string | undefined): void {
    const { allocator } = object;
    if (object.isFreed) this.violations.push(`an object of ${allocator} is freed twice`);
    if (believed !== allocator)
      this.violations.push(`an object of ${allocator} is freed as one of ${believed ?? 'a placeholder'}`);
    if (this.#destroyed.has(allocator)) this.violations.push(`an object of ${allocator} outlived it`);
    object.isFreed = true;
    this.#alive.set(allocator, this.alive(allocator) - 1);
  }

  destroyed(allocator: string): void {
    if (this.alive(allocator) > 0) this.violations.push(`${allocator} is destroyed before its objects`);
    this.#destroyed.add(allocator);
  }

  created(allocator: string): void {
    this.#destroyed.delete(allocator);
  }

  alive(allocator: string): number {
    return this.#alive.get(allocator) ?? 0;
  }
}
