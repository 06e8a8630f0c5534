import { describe, expect, test } from 'vitest';
import { readDomainDisks } from './domain-disks.js';
import { DOMAIN_DEVICES_MAX, DOMAIN_XML_BYTES_MAX } from './limits.js';

const domain = (content: string) => `<domain type='kvm'><name>guest</name>${content}</domain>`;
const nbd = (name: string, socket = '/run/nbd.sock') =>
  `<source protocol='nbd' name='${name}'><host transport='unix' socket='${socket}'/></source>`;
const disk = (source: string) => `<devices><disk type='network' device='disk'>${source}</disk></devices>`;
const metadata = (content: string, namespace = 'urn:holdfast:libvirt:1') =>
  `<metadata><hf:devices xmlns:hf='${namespace}'>${content}</hf:devices></metadata>`;

describe('the disks of a domain', () => {
  test('are those behind NBD on a Unix socket', () => {
    expect(readDomainDisks(domain(disk(nbd('vm1'))))).toEqual({
      nbdDisks: [{ exportName: 'vm1', socket: '/run/nbd.sock' }],
      devices: [],
    });
  });

  test('are also those of a backing chain', () => {
    const chain = `<source file='/x.qcow2'/><backingStore type='network'><format type='raw'/>${nbd('base')}</backingStore>`;
    expect(readDomainDisks(domain(disk(chain))).nbdDisks).toMatchObject([{ exportName: 'base' }]);
  });

  test('have their names as XML means them', () => {
    expect(readDomainDisks(domain(disk(nbd('a&amp;b &#x22;c&quot;')))).nbdDisks[0]?.exportName).toBe(
      'a&b "c"',
    );
  });

  test('have an empty name when none is given', () => {
    const source = `<source protocol='nbd'><host transport='unix' socket='/s'/></source>`;
    expect(readDomainDisks(domain(disk(source))).nbdDisks).toEqual([{ exportName: '', socket: '/s' }]);
  });

  test.each([
    ['another protocol', disk(nbd('vm1').replace("'nbd'", "'iscsi'"))],
    ['TCP', disk(`<source protocol='nbd' name='vm1'><host name='127.0.0.1' port='10809'/></source>`)],
    ['a comment', `<!-- ${disk(nbd('vm1'))} -->`],
    ['CDATA', `<description><![CDATA[${disk(nbd('vm1'))}]]></description>`],
    ['a place that is no disk', `<devices><redirdev>${nbd('vm1')}</redirdev></devices>`],
    ['another namespace', metadata(`<hf:device name='vm1'/>`, 'urn:other')],
  ])('are not those in %s', (_place, content) => {
    expect(readDomainDisks(domain(content))).toEqual({ nbdDisks: [], devices: [] });
  });
});

describe('the devices in the metadata of a domain', () => {
  test('are named once each, whatever the prefix', () => {
    const names = ['db', 'vm-1', 'db'].map((name) => `<hf:device name='${name}'/>`).join('');
    expect(readDomainDisks(domain(metadata(names))).devices).toEqual(['db', 'vm-1']);
    const plain = `<metadata><devices xmlns='urn:holdfast:libvirt:1'><device name='db'/></devices></metadata>`;
    expect(readDomainDisks(domain(plain)).devices).toEqual(['db']);
  });

  test.each([`<hf:device/>`, `<hf:disk name='db'/>`, `<device name='db'/>`])(
    'are refused as %s',
    (content) => {
      expect(() => readDomainDisks(domain(metadata(content)))).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    },
  );
});

describe('Law 5 a text that is not to be trusted', () => {
  const refused = (xml: string, says: string) => {
    expect(() => readDomainDisks(xml)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(says) as string }),
    );
  };

  test.each(['', '<domain>', 'no XML', domain(`<hf:x/>`), domain('&unknown;'), `${domain('')}<domain/>`])(
    'that is not well-formed is refused: %s',
    (xml) => {
      refused(xml, 'is not well-formed');
    },
  );

  test('that declares entities is refused before one is expanded', () => {
    const bomb = `<!DOCTYPE domain [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${domain('<name>&b;</name>')}`;
    refused(bomb, 'document type');
  });

  test('that names too many devices is refused, and the most that may be is taken', () => {
    const many = (count: number) =>
      domain(
        metadata(Array.from({ length: count }, (_, at) => `<hf:device name='d${String(at)}'/>`).join('')),
      );
    expect(readDomainDisks(many(DOMAIN_DEVICES_MAX)).devices).toHaveLength(DOMAIN_DEVICES_MAX);
    refused(many(DOMAIN_DEVICES_MAX + 1), 'more than 256 devices');
  });

  test('that is too long is refused', () => {
    refused(domain(' '.repeat(DOMAIN_XML_BYTES_MAX)), 'longer than 4194304 bytes');
  });
});
