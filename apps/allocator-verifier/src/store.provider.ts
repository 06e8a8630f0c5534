import type { Store } from '@holdfast/store';

/** Injection token of the store, and the type that goes with it (an interface has no value to inject by). */
export const STORE = Symbol('Store');
export type StoreToken = Store;
