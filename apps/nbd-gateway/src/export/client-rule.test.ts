import { describe, expect, test } from 'vitest';
import type { ClientPeer } from '../client/client-peer.js';
import { CLIENT_RULE_BYTES_MAX, isClientRule, rulesAllow } from './client-rule.js';

const tcp = (host: string): ClientPeer => ({ kind: 'tcp', host, port: 1 });
const unix = (uid: number): ClientPeer => ({ kind: 'unix', pid: 1, uid });

/** Whether rules let in who has no certificate, or this one. */
function allows(
  rules: string | readonly string[],
  peer: ClientPeer,
  certificateNames?: readonly string[],
): boolean {
  return rulesAllow(typeof rules === 'string' ? [rules] : rules, { peer, certificateNames });
}

describe('an address or a network', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::1', '::1', true],
    ['::/0', '192.0.2.7', false],
    ['fe80::/10', 'fe80::1%eth0', true],
  ])('%s: %s is let in: %s', (rule, host, letIn) => {
    expect(allows(rule, tcp(host))).toBe(letIn);
  });

  test('says nothing of clients at the Unix socket', () => {
    expect(allows(['0.0.0.0/0', '::/0'], unix(0))).toBe(false);
  });
});

describe('a user', () => {
  test('is let in at the Unix socket by the number that the kernel tells', () => {
    expect([0, 1000, 1001].map((uid) => allows('uid:1000', unix(uid)))).toEqual([false, true, false]);
    expect(allows('uid:0', tcp('127.0.0.1'))).toBe(false);
  });
});

describe('a certificate', () => {
  test('is let in by a name that it proves, wherever the client is', () => {
    expect(allows('certificate:alice', tcp('192.0.2.7'), ['bob', 'alice'])).toBe(true);
    expect(allows('certificate:alice', unix(1), ['alice'])).toBe(true);
    expect(allows('certificate:alice', tcp('192.0.2.7'), ['Alice', 'alice.example'])).toBe(false);
    expect(allows('certificate:alice', tcp('192.0.2.7'), [])).toBe(false);
    expect(allows('certificate:alice', tcp('192.0.2.7'))).toBe(false);
  });
});

test('any one rule lets in; without any, all are let in', () => {
  const rules = ['uid:1', '192.0.2.7', 'certificate:alice'];
  expect(allows(rules, unix(1))).toBe(true);
  expect(allows(rules, tcp('192.0.2.7'))).toBe(true);
  expect(allows(rules, tcp('192.0.2.8'))).toBe(false);
  expect(allows([], tcp('192.0.2.8'))).toBe(true);
});

describe('what is no rule', () => {
  const wrong = [
    ...[
      '',
      ' ',
      'everybody',
      'localhost',
      'example.com',
      '10.0.0',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/-1',
    ],
    ...['10.0.0.0/08', '10.0.0.0/8/8', '::/129', 'fe80::1%eth0', ' 10.0.0.1', '10.0.0.1\n', '010.0.0.1'],
    ...['uid:', 'uid:-1', 'uid:1.5', 'uid:01', 'uid:4294967295', 'uid:root', 'UID:1', 'certificate:'],
    ...['certificate:a\nuid:0', 'certificate:a\0', `certificate:${'a'.repeat(CLIENT_RULE_BYTES_MAX)}`],
  ];

  test.each(wrong)('%j is none, and lets nobody in', (text) => {
    expect(isClientRule(text)).toBe(false);
    expect(allows(text, tcp('127.0.0.1'), [text.slice('certificate:'.length)])).toBe(false);
    expect(allows(text, unix(0))).toBe(false);
  });

  test('everything else is one', () => {
    const longest = `certificate:${'a'.repeat(CLIENT_RULE_BYTES_MAX - 'certificate:'.length)}`;
    for (const text of [
      '192.0.2.7',
      '10.0.0.0/8',
      '::',
      '::/0',
      'uid:0',
      'uid:4294967294',
      'certificate:ö',
      longest,
    ]) {
      expect(isClientRule(text)).toBe(true);
    }
  });
});
