import { readFileSync } from 'node:fs';

/** A line of a unit, by what stands before and after its equals sign. */
type Setting = readonly [key: string, value: string];

/** What systemd would do with a service: its variables, and its commands as words. */
export class SystemdUnit {
  readonly #settings: readonly Setting[];

  /** @param instance as systemd-escape made it, and as it was before */
  constructor(
    file: string,
    private readonly instance: { readonly escaped: string; readonly name: string },
  ) {
    this.#settings = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  }

  values(key: string): string[] {
    return this.#settings.filter(([name]) => name === key).map(([, value]) => value);
  }

  /** Environment=, and what an EnvironmentFile= holds over it (systemd.exec(5)). */
  environment(file: Readonly<Record<string, string>>): Record<string, string> {
    const own = this.values('Environment').flatMap((value) => this.#words(value));
    return { ...Object.fromEntries(own.map(splitAssignment)), ...file };
  }

  /** The commands of `ExecStart` and the like, as execve(2) gets them (systemd.service(5), "COMMAND LINES"). */
  commands(key: string, environment: Readonly<Record<string, string>>): string[][] {
    return this.values(key).map((line) => this.#words(line).flatMap((word) => expand(word, environment)));
  }

  /** Words first, then specifiers in each: a blank in the name makes no new word. */
  #words(line: string): string[] {
    const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)];
    return words.map(([, double, single, bare]) =>
      (double ?? single ?? bare ?? '').replaceAll(/%(.)/g, (_all, letter: string) => this.#specifier(letter)),
    );
  }

  #specifier(letter: string): string {
    const { escaped, name } = this.instance;
    const known: Readonly<Record<string, string>> = { i: escaped, I: name, '%': '%' };
    const value = known[letter];
    if (value === undefined) throw new Error(`%${letter} is not known here`);
    return value;
  }
}

/** `$NAME` as a word is split at blanks; `${NAME}` is not; `$$` is a dollar sign. A value is not expanded again. */
function expand(word: string, environment: Readonly<Record<string, string>>): string[] {
  const whole = /^\$([A-Z_]+)$/.exec(word)?.[1];
  if (whole !== undefined) return (environment[whole] ?? '').split(/\s+/).filter((part) => part !== '');
  return [
    word.replaceAll(/\$\$|\$\{([A-Z_]+)\}/g, (_all, name: string | undefined) =>
      name === undefined ? '$' : (environment[name] ?? ''),
    ),
  ];
}

function splitAssignment(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
