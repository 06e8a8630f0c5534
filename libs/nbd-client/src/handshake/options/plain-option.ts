import { unexpectedReply, type AfterOption, type OptionExchange } from '../option-exchange.js';

const after = {
  ABORT: 'closed',
  STARTTLS: 'tls',
  STRUCTURED_REPLY: 'options',
  EXTENDED_HEADERS: 'options',
} as const satisfies Record<string, AfterOption>;

/** An option without data that is answered by yes or no. */
export function plainOption(option: keyof typeof after): OptionExchange<undefined> {
  return {
    option,
    data: new Uint8Array(),
    take: (type) => {
      throw unexpectedReply(option, type);
    },
    finish: () => undefined,
    after: after[option],
  };
}
