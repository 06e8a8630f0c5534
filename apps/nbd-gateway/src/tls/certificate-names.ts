import type { X509Certificate } from 'node:crypto';

/**
 * One alternative name as OpenSSL's text has it in Node (`X509Certificate.subjectAltName`): `DNS:a.example`, with what
 * could be mistaken for more than one of them quoted as JSON.
 */
const ALTERNATIVE_NAME = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/gsy;

/** Kinds of alternative names that name somebody. Addresses do not: they are in the rules of an export by themselves. */
const NAMING = new Set(['DNS', 'email', 'URI']);

/**
 * The names that a certificate gives to its owner: the common names of its subject, and its alternative names of DNS,
 * e-mail and URI kind.
 */
export function certificateNames(certificate: X509Certificate): string[] {
  const commonName = certificate.toLegacyObject().subject.CN;
  const names = [commonName ?? [], alternativeNames(certificate.subjectAltName ?? '')].flat();
  return [...new Set(names)];
}

/** @returns none at all if the text cannot be read to its end */
function alternativeNames(text: string): string[] {
  const names: string[] = [];
  let end = 0;
  for (const [entry, kind = '', value = ''] of text.matchAll(ALTERNATIVE_NAME)) {
    end += entry.length;
    if (NAMING.has(kind)) names.push(value.startsWith('"') ? (JSON.parse(value) as string) : value);
  }
  return end === text.length ? names : [];
}
