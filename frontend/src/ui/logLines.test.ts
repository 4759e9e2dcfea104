import { expect, test } from 'vitest';

import { appended, filterLines, levelOf, MOST_LINES, windowOf } from './logLines';

const line = (text: string) => ({ at: '2026-11-20T12:00:00.000Z', source: 'train', text });

test('lines are numbered on, and the oldest go beyond the most that is kept', () => {
  const many = appended([], Array.from({ length: MOST_LINES }, (_, index) => line(`${index}`)));
  const more = appended(many, [line('one'), line('two')]);
  expect([more.length, more[0]!.number, more.at(-1)!.number]).toEqual([MOST_LINES, 3, MOST_LINES + 2]);
});

test('the level is read near the start of a line', () => {
  expect([levelOf('WARNING spot'), levelOf('ValueError: no'), levelOf('Traceback (most recent call last)'), levelOf('rows 12')]).toEqual(['WARN', 'ERROR', 'ERROR', undefined]);
});

test('WARN shows errors too, and finding ignores case', () => {
  const lines = appended([], [line('WARN disk'), line('ERROR Disk'), line('disk fine')]);
  expect(filterLines(lines, { level: 'WARN' })).toHaveLength(2);
  expect(filterLines(lines, { level: 'ERROR', find: 'DISK' }).map((each) => each.number)).toEqual([2]);
});

test('only lines in sight are drawn, whatever the length', () => {
  const { first, last } = windowOf(100_000, 480, 20, 20_000);
  expect(first).toBeLessThanOrEqual(5000);
  expect(last).toBeGreaterThanOrEqual(5024);
  expect(last - first).toBeLessThan(80);
  expect(windowOf(0, 480, 20, 3)).toEqual({ first: 0, last: 3 });
});
