import { Command } from '../constants/commands.js';
import { LOOK_AHEAD_REQUESTS_MAX } from '../limits.js';
import type { InputWindow } from './input-window.js';
import type { RequestHeader } from './messages/request.js';
import type { RequestForm } from './request-form.js';
import type { TransmissionFacts } from './transmission-facts.js';
import { validate } from './validate.js';

/**
 * Visits the valid READs whose headers are whole in the input, from `payloadLength` bytes behind its head. Looks at no
 * more than 64 requests, and at none that will not be served. `header` is a record to use.
 *
 * @param beyondOthers whether the look goes on behind a request that is no READ
 */
export function visitQueuedReads(
  input: InputWindow,
  payloadLength: number,
  form: RequestForm,
  facts: TransmissionFacts,
  header: RequestHeader,
  beyondOthers: boolean,
  visit: (fileOffset: number, length: number) => void,
): void {
  let at = input.head + payloadLength;
  for (let seen = 0; seen < LOOK_AHEAD_REQUESTS_MAX && at + form.headerBytes <= input.tail; seen += 1) {
    if (!form.parse(input.view, at, header) || header.type === Command.DISC) return;
    if (!beyondOthers && header.type !== Command.READ) return;
    at += form.headerBytes + form.payloadLength(header);
    if (header.type === Command.READ && validate(header, facts) === undefined) {
      visit(header.offset, header.length);
    }
  }
}
