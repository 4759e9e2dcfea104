import { expect, test } from 'vitest';

import { layoutOf } from './graph';

test('a node stands right of everything it comes after', () => {
  const { nodes, columns, rows } = layoutOf([
    { id: 'a', after: [] },
    { id: 'b', after: ['a'] },
    { id: 'c', after: ['a'] },
    { id: 'd', after: ['a', 'c'] },
  ]);
  expect(nodes.map(({ id, column }) => [id, column])).toEqual([['a', 0], ['b', 1], ['c', 1], ['d', 2]]);
  expect([columns, rows]).toEqual([3, 2]);
  expect(nodes[0]!.row).toBe(0.5);
});

test('a cycle and an unknown name do not hang it', () => {
  const { columns } = layoutOf([{ id: 'a', after: ['b', 'nowhere'] }, { id: 'b', after: ['a'] }]);
  expect(columns).toBe(2);
});
