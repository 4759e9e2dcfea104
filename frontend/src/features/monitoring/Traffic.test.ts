import { expect, test } from 'vitest';

import { answered } from './Traffic';

test('hours in which nothing was answered have no time to show', () => {
  const hour = { hour: '2026-11-20T10:00:00Z', requests: 0, refused: 0, failed: 0, p50_ms: null, p99_ms: null };
  const busy = { ...hour, hour: '2026-11-20T11:00:00Z', requests: 3, p50_ms: 4.2, p99_ms: 18.6 };

  expect(answered([hour, busy, hour])).toEqual([busy]);
});
