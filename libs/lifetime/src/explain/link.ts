import { unreachable } from '@holdfast/foundation';
import type { Field } from '../effects.js';
import { nameOf, type Row } from '../table/row.js';

/** One step of an explanation. */
export type Link =
  | { readonly kind: 'row'; readonly row: Row }
  /** The field is not null in some entry. */
  | { readonly kind: 'value'; readonly field: Field }
  /** Nothing keeps it but that nobody has looked since it became empty. */
  | { readonly kind: 'unwalked'; readonly field: Field }
  /** No row names the field. */
  | { readonly kind: 'free'; readonly field: Field }
  /** Programs use the field, and none stores into its class. */
  | { readonly kind: 'placeholder'; readonly field: Field }
  /** No row names the allocator. */
  | { readonly kind: 'unasked'; readonly allocator: string }
  | { readonly kind: 'absent'; readonly allocator: string };

export function wordsFor(link: Link): string {
  switch (link.kind) {
    case 'row':
      return wordsForRow(link.row);
    case 'value':
      return `${nameOf(link.field)} holds a value.`;
    case 'unwalked':
      return `${nameOf(link.field)} is empty, and so is what it is equal to: the next unload of a program that uses map ${link.field.map} finds that.`;
    case 'free':
      return `No program has named ${nameOf(link.field)}: it may take any allocator.`;
    case 'placeholder':
      return `No program stores into ${nameOf(link.field)} or what it is equal to: it may still take any allocator.`;
    case 'unasked':
      return `No row names ${link.allocator}: it lives until somebody asks to destroy it.`;
    case 'absent':
      return `There is no allocator ${link.allocator}.`;
    default:
      return unreachable(link);
  }
}

function wordsForRow(row: Row): string {
  const { program, discardable } = row;
  switch (row.kind) {
    case 'stores': {
      const what = `${row.allocator} into ${nameOf(row.field)}`;
      return discardable
        ? `Program ${program}, since unloaded, stored allocations of ${what}.`
        : `Program ${program} is loaded and stores allocations of ${what}.`;
    }
    case 'moves': {
      const what = `values from ${nameOf(row.from)} to ${nameOf(row.to)}`;
      return discardable
        ? `Program ${program}, since unloaded, moved ${what}.`
        : `Program ${program} is loaded and moves ${what}.`;
    }
    case 'uses':
      return discardable
        ? `Program ${program}, since unloaded, used ${nameOf(row.field)}.`
        : `Program ${program} is loaded and uses ${nameOf(row.field)}: it may hold a value of it.`;
    default:
      return unreachable(row);
  }
}
