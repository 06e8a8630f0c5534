/** First word of the server's greeting, ASCII `NBDMAGIC` (section "Newstyle negotiation"). */
export const NBDMAGIC = 0x4e42444d41474943n;

/** Second word of the greeting and first of every option, ASCII `IHAVEOPT` ("Newstyle negotiation"). */
export const IHAVEOPT = 0x49484156454f5054n;

/** First word of every option reply ("Fixed newstyle negotiation"). */
export const OPTION_REPLY_MAGIC = 0x0003e889045565a9n;

/** `NBD_REQUEST_MAGIC` ("Request message"). */
export const REQUEST_MAGIC = 0x25609513;

/** `NBD_EXTENDED_REQUEST_MAGIC` ("Request message"). */
export const EXTENDED_REQUEST_MAGIC = 0x21e41c71;

/** `NBD_SIMPLE_REPLY_MAGIC` ("Simple reply message"). */
export const SIMPLE_REPLY_MAGIC = 0x67446698;

/** `NBD_STRUCTURED_REPLY_MAGIC` ("Structured reply chunk message"). */
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef;

/** `NBD_EXTENDED_REPLY_MAGIC` ("Extended reply chunk message"). */
export const EXTENDED_REPLY_MAGIC = 0x6e8a278c;
