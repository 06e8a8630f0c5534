import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { Option } from '../constants/options.js';
import { clientFlags, contextData, infoData, option } from '../testing/handshake-wire.js';
import { MODES, outcome, SESSIONS } from '../testing/handshake-sessions.js';
import { cutAt, inChunks } from '../testing/wire.js';

const short = Buffer.concat([
  clientFlags(),
  option(99, 'data'),
  option(Option.EXTENDED_HEADERS),
  option(Option.SET_META_CONTEXT, contextData('disk', 'base:')),
  option(Option.GO, infoData('disk', 3)),
  Buffer.from('rest'),
]);

describe.each(MODES)('TLS %s', (tlsMode) => {
  describe.each(Object.entries(SESSIONS))('a session %s', (_name, { plain, throughTls }) => {
    const [stream, secured] = [Buffer.concat(plain), Buffer.concat(throughTls)];
    const whole = outcome(tlsMode, [stream], [secured]);

    test('N1 N3 N4 N5 N6 N7 N8 N9 N11 is answered alike when split at every offset', () => {
      for (let cut = 0; cut <= stream.length; cut += 1) {
        expect(outcome(tlsMode, cutAt(stream, cut), [secured])).toBe(whole);
      }
      for (let cut = 0; cut <= secured.length; cut += 1) {
        expect(outcome(tlsMode, [stream], cutAt(secured, cut))).toBe(whole);
      }
    });

    test('N1 N3 N4 N5 N6 N7 N8 N9 N11 is answered alike byte by byte', () => {
      expect(outcome(tlsMode, inChunks(stream, [1]), inChunks(secured, [1]))).toBe(whole);
    });
  });
});

test('a short session is answered alike when split at every pair of offsets', () => {
  const whole = outcome('off', [short], []);
  for (let first = 0; first <= short.length; first += 1) {
    for (let second = first; second <= short.length; second += 1) {
      expect(outcome('off', cutAt(short, first, second), [])).toBe(whole);
    }
  }
});
