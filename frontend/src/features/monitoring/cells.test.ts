import { expect, test } from 'vitest';

import { cellName, lookOf, moved, written, type Cell } from './cells';

const CELL: Cell = { verdict: 'OK', metric: 'psi', score: 0.02, threshold: 0.2, share: 0.1, sentence: '`mass` did not move' };

test('a cell is coloured by its verdict, and warns from half of its threshold on', () => {
  expect(lookOf(null)).toBe('none');
  expect(lookOf(CELL)).toBe('calm');
  expect(lookOf({ ...CELL, share: 0.5 })).toBe('near');
  expect(lookOf({ ...CELL, share: 6, verdict: 'DRIFT' })).toBe('drift');
  expect(lookOf({ ...CELL, share: 6, verdict: 'SKIPPED' })).toBe('skipped');
});

test('scores are written from 0.10 on, short', () => {
  expect(written({ ...CELL, score: 0.099 })).toBe('');
  expect(written({ ...CELL, score: 0.1 })).toBe('.10');
  expect(written({ ...CELL, score: 0.996 })).toBe('1.0');
  expect(written({ ...CELL, score: 12.3 })).toBe('12');
  expect(written({ ...CELL, score: 0.4, verdict: 'SKIPPED' })).toBe('');
});

test('a cell that was not judged says why', () => {
  expect(cellName('mass', '2026-11-19', { ...CELL, verdict: 'SKIPPED', sentence: '`mass` has 3 rows' })).toBe('mass on 2026-11-19: not judged, mass has 3 rows');
});

test('arrows stay within the grid', () => {
  expect(moved({ row: 0, column: 0 }, 'ArrowUp', 2, 3)).toEqual({ row: 0, column: 0 });
  expect(moved({ row: 0, column: 0 }, 'ArrowDown', 2, 3)).toEqual({ row: 1, column: 0 });
  expect(moved({ row: 1, column: 1 }, 'End', 2, 3)).toEqual({ row: 1, column: 2 });
  expect(moved({ row: 1, column: 2 }, 'ArrowRight', 2, 3)).toEqual({ row: 1, column: 2 });
  expect(moved({ row: 1, column: 2 }, 'a', 2, 3)).toBeUndefined();
});
