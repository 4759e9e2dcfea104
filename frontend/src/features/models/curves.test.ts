import { describe, expect, it } from 'vitest';

import { confusionAt, nearest } from './curves';

describe('nearest', () => {
  it('takes the point with the nearest threshold and leaves the start of the curve alone, which has none', () => {
    const points = [{ threshold: null, x: 0 }, { threshold: 0.9, x: 1 }, { threshold: 0.4, x: 2 }];

    expect(nearest(points, 0.5)?.x).toBe(2);
    expect(nearest(points, 1)?.x).toBe(1);
  });

  it('is nothing on a curve without thresholds', () => {
    expect(nearest([{ threshold: null, x: 0 }], 0.5)).toBeUndefined();
  });
});

describe('confusionAt', () => {
  it('counts the rows of each class, and every row once', () => {
    const rows = confusionAt({ false_positive_rate: 0.1, true_positive_rate: 0.8 }, { negative: 50, positive: 20 });

    expect(rows).toEqual([
      [45, 5],
      [4, 16],
    ]);
    expect(rows.flat().reduce((sum, each) => sum + each)).toBe(70);
  });
});
