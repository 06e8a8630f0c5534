/** A page of docs/reference that is made from the code. */
export interface Page {
  /** Name in docs/reference. */
  readonly file: string;
  /** What it is made from, for the notice at its top. */
  readonly source: string;
  /** Its text in Markdown; formatted afterwards. */
  readonly render: () => string | Promise<string>;
}

/** A command of the command line, as its --help tells. */
export interface CliCommand {
  /** `['device', 'attach']`; empty for `holdfast` itself. */
  readonly words: readonly string[];
  /** `--json`, `-V`, … */
  readonly options: readonly string[];
  readonly subcommands: readonly CliCommand[];
}

/** A constant of the sources: its doc comment and what its initializer comes to. */
export interface Constant {
  readonly name: string;
  readonly comment: string;
  readonly value: number;
}

/** One package of the contracts. Types are named in full, `holdfast.registry.v1.Device`; all else without package. */
export interface Contract {
  readonly package: string;
  readonly services: readonly ContractService[];
  readonly messages: readonly ContractMessage[];
  readonly enums: readonly ContractEnum[];
}

export interface ContractService {
  readonly name: string;
  readonly comment: string;
  readonly methods: readonly ContractMethod[];
}

export interface ContractMethod {
  readonly name: string;
  readonly comment: string;
  readonly request: string;
  readonly response: string;
  /** The answer is a stream. */
  readonly streams: boolean;
}

export interface ContractMessage {
  /** `Attachment`; inside another message `Outer.Inner`. */
  readonly name: string;
  readonly comment: string;
  readonly fields: readonly ContractField[];
}

export interface ContractField {
  readonly name: string;
  readonly type: string;
  readonly qualifier: '' | 'repeated' | 'optional' | 'one of';
  readonly comment: string;
}

export interface ContractEnum {
  readonly name: string;
  readonly comment: string;
  readonly values: readonly { readonly name: string; readonly number: number; readonly comment: string }[];
}

/** What a Markdown file says that can be checked. */
export interface MarkdownFile {
  /** Path from the root of the repository. */
  readonly name: string;
  readonly blocks: readonly CodeBlock[];
  /** Code in the text, without its backticks. */
  readonly spans: readonly string[];
  readonly links: readonly string[];
  /** Of its headings. */
  readonly anchors: readonly string[];
}

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

/** A rule that tests carry in their names, and what it says in one sentence. */
export type Rule = readonly [number: string, words: string];
