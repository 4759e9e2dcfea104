import { expect, test } from 'vitest';

import { partsOf } from './cost';

const COSTS = { jobs: 5, jobs_usd: 0.019, invocations: 7, functions_usd: 0.0004, transitions: 32, transitions_usd: 0.0008 };

test('a run says what its cost is made of', () => {
  expect(partsOf(COSTS)).toBe('5 jobs $0.019, 7 function calls $0.0004, 32 transitions $0.0008');
  expect(partsOf({ ...COSTS, jobs: 1, invocations: 1, transitions: 1 })).toBe('1 job $0.019, 1 function call $0.0004, 1 transition $0.0008');
});

test('what is not there is left out, and what is not known yet is not called free', () => {
  expect(partsOf({ ...COSTS, jobs: 0, jobs_usd: 0 })).toBe('7 function calls $0.0004, 32 transitions $0.0008');
  expect(partsOf({ ...COSTS, jobs_usd: null })).toBe('5 jobs not known yet, 7 function calls $0.0004, 32 transitions $0.0008');
});

test('a run of before functions were counted is its jobs alone', () => {
  expect(partsOf({ ...COSTS, invocations: 0, transitions: 0 })).toBeNull();
});
