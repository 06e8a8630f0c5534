import { Opt } from './spec-numbers.js';

/** How replies look, and with `extended` also requests. */
export type ReplyMode = 'simple' | 'structured' | 'extended';

/** What is proven of transmission is proven in each. */
export const replyModes: readonly ReplyMode[] = ['simple', 'structured', 'extended'];

/** The option that asks for it. */
export const modeOption: Readonly<Record<ReplyMode, number | undefined>> = {
  simple: undefined,
  structured: Opt.STRUCTURED_REPLY,
  extended: Opt.EXTENDED_HEADERS,
};
