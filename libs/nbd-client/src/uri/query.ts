import { invalidUri, percentDecode } from './uri-text.js';

/** The parameters of a URI, which are taken out one after the other; what is left at the end was not understood. */
export class Query {
  readonly #parameters: Map<string, string>;

  constructor(parameters: ReadonlyMap<string, string>) {
    this.#parameters = new Map(parameters);
  }

  /** @returns the value, undefined if there is none */
  take(name: string): string | undefined {
    const value = this.#parameters.get(name);
    this.#parameters.delete(name);
    return value;
  }

  /** "Any other query parameters which the client does not understand SHOULD be diagnosed by the parser." */
  assertEmpty(): void {
    for (const name of this.#parameters.keys()) throw invalidUri(`the parameter "${name}" is not known`);
  }
}

export function parseQuery(text: string): Query {
  const parameters = new Map<string, string>();
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals < 0) throw invalidUri(`the parameter "${part}" has no value`);
    const name = percentDecode(part.slice(0, equals), 'the name of a parameter');
    if (parameters.has(name)) throw invalidUri(`the parameter "${name}" is there twice`);
    parameters.set(name, percentDecode(part.slice(equals + 1), `the parameter "${name}"`));
  }
  return new Query(parameters);
}
