import { describe, expect, it } from 'vitest';

import { nearestTo, pathOf, scaleOf, ticksOf } from './axes';

describe('ticksOf', () => {
  it('names round figures inside the range, evenly spaced', () => {
    expect(ticksOf(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticksOf(0.13, 0.94, 4)).toEqual([0.25, 0.5, 0.75]);
    expect(ticksOf(-30, 1200, 5)).toEqual([0, 250, 500, 750, 1000]);
  });

  it('has no dust of floating point', () => {
    expect(ticksOf(0, 0.3, 3)).toEqual([0, 0.1, 0.2, 0.3]);
  });
});

describe('scaleOf', () => {
  it('keeps a range that is given, also outside of the figures', () => {
    const scale = scaleOf([0.4], [0, 1], 10, 110, 5);
    expect([scale.at(0), scale.at(0.5), scale.at(1)]).toEqual([10, 60, 110]);
  });

  it('gives a constant room on both sides, and is there without figures', () => {
    expect(scaleOf([3, 3], undefined, 0, 100, 5).at(3)).toBe(50);
    expect(scaleOf([], undefined, 0, 100, 5)).toMatchObject({ low: 0, high: 1 });
  });
});

describe('pathOf', () => {
  it('goes from point to point, y upwards', () => {
    const x = scaleOf([0, 1], undefined, 0, 100, 5);
    const y = scaleOf([0, 1], undefined, 50, 0, 5);
    expect(pathOf([{ x: 0, y: 0 }, { x: 1, y: 1 }], x, y)).toBe('M0.0 50.0L100.0 0.0');
  });
});

describe('nearestTo', () => {
  it('is the first of equally near points, and nothing without points', () => {
    const points = [{ x: 0, y: 1 }, { x: 2, y: 2 }];
    expect(nearestTo(points, 1)).toEqual({ x: 0, y: 1 });
    expect(nearestTo([], 1)).toBeUndefined();
  });
});
