import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

import { expect, test } from 'vitest';

const SOURCE = resolve('src');
/** What each part may import of ours, besides itself. A feature is a part of its own. */
const MAY: Record<string, string[]> = { main: ['app', 'ui'], app: ['features', 'ui', 'api', 'auth'], features: ['ui', 'api', 'auth'], api: ['auth'], auth: [], ui: [] };

const files = (readdirSync(SOURCE, { recursive: true }) as string[]).filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'));

function partOf(file: string): string {
  const [first = '', second = ''] = file.split('/');
  return first === 'features' ? `features/${second}` : first.replace(/\.tsx?$/, '');
}

test('parts import only in the agreed direction, and no feature another feature', () => {
  const wrong = files.flatMap((file) => {
    const here = partOf(file);
    const found = [...readFileSync(join(SOURCE, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)];
    return found
      .map(([, path]) => relative(SOURCE, resolve(SOURCE, dirname(file), path!)))
      .filter((path) => path.startsWith('..') || (partOf(path) !== here && !MAY[here.split('/')[0]!]!.includes(partOf(path).split('/')[0]!)))
      .map((path) => `${file} → ${path}`);
  });
  expect(wrong.filter((each) => !each.includes('.test.'))).toEqual([]);
});

test('no file is longer than 250 lines, but for the generated ones', () => {
  expect(files.filter((file) => readFileSync(join(SOURCE, file), 'utf8').split('\n').length > 251)).toEqual([]);
});

test('Material UI is imported part by part', () => {
  const whole = files.filter((file) => /from '@mui\/material'/.test(readFileSync(join(SOURCE, file), 'utf8')));
  expect(whole).toEqual([]);
});
