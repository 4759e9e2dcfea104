import { expect, test } from 'vitest';

import { ApiError } from './client';
import { nextAfter } from './pace';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const fresh = { data: undefined, dataUpdatedAt: 0, error: null, errorUpdatedAt: 0, errorUpdateCount: 0 };
const answered = (pollAfter: number | null) => ({ ...fresh, data: { body: {}, etag: null, pollAfter }, dataUpdatedAt: NOW });
const failingFor = (seconds: number) => ({ ...answered(2), error: new Error('down'), errorUpdatedAt: NOW + seconds * 1000 });

test('the server sets the pace; where it says nothing, the usual one counts', () => {
  expect(nextAfter(30, answered(2))).toBe(2000);
  expect(nextAfter(30, answered(null))).toBe(30_000);
  expect(nextAfter(null, answered(null))).toBe(false);
});

test('while requests fail the wait doubles, up to a minute', () => {
  expect([1, 4, 8, 600].map((seconds) => nextAfter(30, failingFor(seconds)))).toEqual([2000, 4000, 8000, 60_000]);
  expect(nextAfter(30, { ...fresh, error: new Error('down'), errorUpdatedAt: NOW, errorUpdateCount: 3 })).toBe(8000);
});

test('what is not there is not asked for again', () => {
  const problem = { type: 'NotFound', title: '', status: 404, detail: 'no run', request_id: 'r', fields: [] };
  expect(nextAfter(2, { ...answered(2), error: new ApiError(404, problem) })).toBe(false);
  expect(nextAfter(2, { ...failingFor(1), error: new ApiError(429, problem) })).toBe(2000);
});
