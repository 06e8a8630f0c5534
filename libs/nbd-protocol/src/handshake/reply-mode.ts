/**
 * How requests and replies look in transmission (section "Transmission"): `simple` unless the client asked for more,
 * `structured` after STRUCTURED_REPLY, `extended` after EXTENDED_HEADERS, which takes precedence.
 */
export type ReplyMode = 'simple' | 'structured' | 'extended';
