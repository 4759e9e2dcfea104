import { expect, test } from 'vitest';

import { changeOf, draftOf } from './settings';

const DRAFT = draftOf({ target: 'left', max_quarantined_share: 0.1, four_eyes: false });

test('a form that was not touched changes nothing', () => {
  expect(changeOf(DRAFT, { ...DRAFT })).toEqual({});
});

test('only what was touched is sent, as the platform counts it', () => {
  const after = { ...DRAFT, target: ' ', key: 'customer, day', quarantinedPercent: '7', trials: '8', fourEyes: true };
  expect(changeOf(DRAFT, after)).toEqual({ target: null, key: ['customer', 'day'], max_quarantined_share: 0.07, training: { trials: 8 }, four_eyes: true });
});

test('what is no number goes as it was typed, so that the platform says what is wrong with it', () => {
  expect(changeOf(DRAFT, { ...DRAFT, trials: 'many', quarantinedPercent: 'x' })).toEqual({ max_quarantined_share: 'x', training: { trials: 'many' } });
});
