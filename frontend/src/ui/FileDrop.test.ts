import { expect, test } from 'vitest';

import { faultOf } from './FileDrop';

test('only one file of a known kind with something in it is taken', () => {
  const file = { name: 'May.CSV', size: 3 };
  expect(faultOf(file, 1, ['.csv'])).toBeUndefined();
  expect(faultOf(file, 2, ['.csv'])).toContain('One file at a time');
  expect(faultOf({ ...file, name: 'photo.png' }, 1, ['.csv'])).toContain('photo.png is none of .csv');
  expect(faultOf({ ...file, size: 0 }, 1, ['.csv'])).toContain('is empty');
});
