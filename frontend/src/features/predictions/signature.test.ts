import { expect, test } from 'vitest';

import { inputsOf, rowOf } from './signature';

const SIGNATURE = { inputs: [{ name: 'mass', kind: 'integer' }, { name: 'depth', kind: 'number' }, { name: 'sex', kind: 'category' }, { name: 'tagged', kind: 'boolean' }, { name: 'seen', kind: 'date' }] };
const MASS = { name: 'mass', minimum: 2700, maximum: 6300, quantiles: { '0.5': 4050.5 }, top: [], distinct: 94 };
const SEX = { name: 'sex', minimum: null, maximum: null, quantiles: {}, top: [{ value: 'male', count: 168 }, { value: 'female', count: 165 }], distinct: 2 };

test('the form has the inputs of the signature, begun with what is usual in the training data', () => {
  const [mass, depth, sex] = inputsOf(SIGNATURE, [MASS, SEX]);
  expect(mass).toEqual({ name: 'mass', kind: 'integer', values: [], usual: '4051', note: 'integer, 2700 to 6300 in training' });
  expect(depth).toMatchObject({ usual: '', note: 'number' });
  expect(sex).toMatchObject({ usual: 'male', values: ['male', 'female'] });
});

test('a time begins as people write it, although profiles count seconds', () => {
  const seen = { name: 'seen', minimum: 1_357_000_000, maximum: 1_358_000_000, quantiles: { '0.5': 1_357_736_400 }, top: [{ value: '1357736400', count: 9 }], distinct: 40 };
  const [input] = inputsOf({ inputs: [{ name: 'seen', kind: 'timestamp' }] }, [seen]);
  expect(input).toMatchObject({ usual: '2013-01-09T13:00:00Z', note: 'timestamp' });
  expect(rowOf([input!], { seen: input!.usual }).faults).toEqual({});
});

test('each kind is judged as it is, and an empty input is a value that is not known', () => {
  const inputs = inputsOf(SIGNATURE, []);
  expect(rowOf(inputs, { mass: '4200', depth: '17.5', sex: 'female', tagged: 'true' })).toEqual({ row: { mass: 4200, depth: 17.5, sex: 'female', tagged: true, seen: null }, faults: {} });
  expect(rowOf(inputs, { mass: '1.5', depth: 'deep', tagged: 'perhaps', seen: 'yesterday' }).faults).toEqual({
    mass: '1.5 is no whole number',
    depth: 'deep is no number',
    tagged: 'perhaps is neither true nor false',
    seen: 'yesterday is no date: write 2026-05-31',
  });
});
