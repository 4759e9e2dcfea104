/** Every statement that the dashboard is held to has a test in a browser, or says why it has none. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

const SPECS = join(import.meta.dirname, '../e2e');
const TABLE = join(import.meta.dirname, '../../docs/acceptance.md');
const VITALS = join(import.meta.dirname, '../../benchmarks/results/vitals.json');
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

test('the table of A3 and A4 is the measured one, and each figure is within its budget', () => {
  type Measured = Record<string, { median: number; budget?: number }>;
  const { medians } = JSON.parse(readFileSync(VITALS, 'utf8')) as { medians: Record<string, Measured> };
  const of = (page: string, figure: string) => medians[page]?.[figure]?.median ?? NaN;
  const pages = Object.keys(medians).flatMap((page) => (page.startsWith('L ') ? [page.slice(2)] : []));
  const measured = pages.map((page) => [
    page,
    ...['lcp', 'tbt'].flatMap((figure) => [of(`L ${page}`, figure), of(`M ${page}`, figure)].map((value) => String(Math.round(value)))),
    Math.max(of(`L ${page}`, 'cls'), of(`M ${page}`, 'cls')).toFixed(3),
    String(Math.round(of(`L ${page}`, 'usable'))),
  ]);
  const shown = [...readFileSync(TABLE, 'utf8').matchAll(/^\| `(\/.*?)` \| ([\d. |]+) \|$/gm)].map(([, page = '', figures = '']) => [page, ...figures.split(' | ')]);
  const over = Object.values(medians).flatMap((page) => Object.values(page).filter(({ median, budget }) => budget !== undefined && median > budget));

  expect(shown.length).toBeGreaterThan(5);
  expect(shown).toEqual(measured);
  expect(over).toEqual([]);
});
