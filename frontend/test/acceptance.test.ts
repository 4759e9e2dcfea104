/** Every statement that the dashboard is held to has a test in a browser, or says why it has none. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

const SPECS = join(import.meta.dirname, '../e2e');
const TABLE = join(import.meta.dirname, '../../docs/acceptance.md');
const ID = /\b[A-Z]\d{1,2}\b/g;

/** Id → what stands in the last column. */
function statements(): Map<string, string> {
  const rows = readFileSync(TABLE, 'utf8').matchAll(/^\| ([A-Z]\d+) \| .+? \| (.*)\|$/gm);
  return new Map([...rows].map(([, id = '', reason = '']) => [id, reason.trim()]));
}

/** The ids in the titles of the specs' tests. */
function tested(): Set<string> {
  const titles = readdirSync(SPECS)
    .filter((file) => file.endsWith('.spec.ts'))
    .flatMap((file) => [...readFileSync(join(SPECS, file), 'utf8').matchAll(/^\s*test\(\s*(['`])(.+?)\1, async/gm)].map(([, , title = '']) => title));
  return new Set(titles.flatMap((title) => title.match(ID) ?? []));
}

test('a statement has a test that names it, or a reason why it has none', () => {
  const named = tested();
  const without = [...statements()].filter(([id, reason]) => !named.has(id) && !reason.startsWith('no spec'));
  expect(without).toEqual([]);
});

test('a statement that has a test does not say that it has none', () => {
  const named = tested();
  expect([...statements()].filter(([id, reason]) => named.has(id) && reason.startsWith('no spec'))).toEqual([]);
});

test('a title names only what is stated', () => {
  const known = statements();
  expect([...tested()].filter((id) => !known.has(id))).toEqual([]);
});
