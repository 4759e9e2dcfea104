import { expect, test } from 'vitest';

import { checksOf } from './checks';

const QUALITY = {
  rows_in: 10,
  accepted: 6,
  quarantined: 4,
  null_share: 0,
  warnings: ['age: 3 values above 96, the highest before'],
  schema_changes: [],
  violations: { 'age: not an integer': 1, 'plan: no category: gold': 3 },
  split_rows: {},
};

test('failed checks come first, the one that broke most rows before the others, each with column and rule', () => {
  expect(checksOf({ reasons: [], quality: QUALITY })).toEqual([
    { kind: 'failed', column: 'plan', rule: 'no category: gold', rows: 3 },
    { kind: 'failed', column: 'age', rule: 'not an integer', rows: 1 },
    { kind: 'warned', column: 'age', rule: '3 values above 96, the highest before', rows: null },
  ]);
});

test('why a whole version was refused stands before all rows', () => {
  expect(checksOf({ reasons: ['42 % of the rows were set aside'], quality: QUALITY })[0]).toMatchObject({ column: '', rule: '42 % of the rows were set aside' });
});
