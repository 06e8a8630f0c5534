import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loads } from '../loads.js';
import { readResults, writeResults } from '../results.js';
import type { Results } from '../types.js';
import { madeUpResults } from './fixture.js';
import { pageOf } from './page.js';

describe('the page of a report', () => {
  let folder = '';
  let results: Results;
  let page = '';

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-test-'));
    const file = path.join(folder, 'out.json');
    writeResults(file, madeUpResults());
    results = readResults([file]);
    page = pageOf(results);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is well-formed: every element is closed in its order, every < and & of a text is written as such', () => {
    expect(faultsOf(page)).toEqual([]);
  });

  it('knows what is not well-formed', () => {
    expect(faultsOf('<p><b>x</p>')).not.toEqual([]);
    expect(faultsOf('<p>a & b</p>')).not.toEqual([]);
    expect(faultsOf('<p>')).not.toEqual([]);
    expect(faultsOf('<p a=b/>')).not.toEqual([]);
  });

  it('has every load, over both transports, in the plots and in the tables', () => {
    for (const { name } of loads) {
      for (const transport of ['unix', 'tcp'])
        expect(page).toContain(`<td class="word">${name}</td><td class="word">${transport}</td>`);
      for (const plot of ['throughput', 'CPU']) expect(page).toContain(`aria-label="${plot} of ${name}"`);
    }
    for (const { name } of loads.filter(({ tool }) => tool !== 'nbdcopy'))
      expect(page).toContain(`aria-label="latency of ${name}"`);
  });

  it('has the goals, the memory, the machine, the versions and the settings', () => {
    expect(page).toContain('<span class="missed">missed</span>');
    expect(page).toContain('1,000 idle connections');
    expect(page).toContain('A &lt;fast&gt; &amp; &quot;small&quot; one');
    for (const { name } of results.servers) expect(page).toContain(`${name} 1.0, plain: ${name} --as-usual`);
    expect(page).toContain('The machine was busy.');
  });

  it('refers to nothing outside of itself, and runs no script', () => {
    expect(page).not.toMatch(/https?:|\/\/[a-z]|@import|url\(|<(script|link|img|iframe|object)/i);
    const references = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, target = '']) => target);
    expect(references.filter((target) => !page.includes(`id="${target.slice(1)}"`))).toEqual([]);
  });

  it('shows no figure that is none', () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('is made of memory alone, and of speed alone', () => {
    for (const part of [{ rows: [] }, { memory: [] }]) {
      const partial = pageOf({ ...results, ...part });
      expect(faultsOf(partial)).toEqual([]);
      expect(partial).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

/** What an XML parser would object to. The only element that is not closed by XML's rules is the doctype. */
function faultsOf(markup: string): string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const element =
    /<!DOCTYPE html>|<(?<close>\/?)(?<name>[a-z][a-z0-9]*)(?<attributes>(?: [a-z-A-Z0-9]+="[^"<>]*")*)(?<self>\/?)>|[<&](?!(?:amp|lt|gt|quot|#\d+);)/g;
  for (const { 0: whole, index, groups } of markup.matchAll(element)) {
    const { close, name = '', self } = groups ?? {};
    if (whole === '<!DOCTYPE html>') continue;
    if (name === '') faults.push(`"${markup.slice(index, index + 30)}" at ${String(index)}`);
    else if (close === '/') {
      if (open.pop() !== name) faults.push(`</${name}> at ${String(index)}`);
    } else if (self !== '/') open.push(name);
  }
  return [...faults, ...open.map((name) => `<${name}> is not closed`)];
}
