import { expect, test } from 'vitest';

import { linePath } from './Sparkline';

test('a line is scaled to its box', () => {
  expect(linePath([0, 10], 100, 24)).toBe('M0.0 22.0L100.0 2.0');
});

test('a constant series runs along the middle; an amount stands on zero', () => {
  expect(linePath([5, 5], 100, 24)).toBe('M0.0 12.0L100.0 12.0');
  expect(linePath([0, 0], 100, 24, true)).toBe('M0.0 22.0L100.0 22.0');
  expect(linePath([5, 5], 100, 24, true)).toBe('M0.0 2.0L100.0 2.0');
});

test('one value is no line', () => {
  expect(linePath([1], 100, 24)).toBe('');
});
