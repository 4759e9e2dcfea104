import { describe, expect, test } from 'vitest';

import { ago, bytes, count, duration, figure, money, percent, signed, written } from './format';

describe('figures', () => {
  test('scores keep four decimals, large values none', () => {
    expect(figure(0.93121)).toBe('0.9312');
    expect(figure(128_430)).toBe('128,430');
    expect(figure(41.256)).toBe('41.26');
    expect(figure(0.5)).toBe('0.50');
    expect(figure(-0.0004, 3)).toBe('0.00');
  });
  test('an absent figure is a dash', () => {
    expect([figure(null), percent(undefined), money(null), bytes(undefined), duration(null)]).toEqual(['–', '–', '–', '–', '–']);
  });
  test('a difference has its sign; what rounds to nothing has none', () => {
    expect([signed(0.0124), signed(-0.009), signed(0.00001)]).toEqual(['+0.0124', '−0.009', '0.00']);
  });
  test('small sums of money show something', () => {
    expect([money(184), money(0.36), money(0.0123), money(0)]).toEqual(['$184.00', '$0.36', '$0.0123', '$0.00']);
  });
  test('sizes are in decimal units', () => {
    expect([bytes(0), bytes(999), bytes(15_241), bytes(5_000_000_000)]).toEqual(['0 B', '999 B', '15 kB', '5.0 GB']);
  });
  test('one row, two rows', () => {
    expect([count(1, 'row'), count(2, 'row'), count(1204, 'match', 'matches')]).toEqual(['1 row', '2 rows', '1,204 matches']);
  });
});

describe('times', () => {
  test('durations use the two largest units', () => {
    expect([duration(0.42), duration(40), duration(253), duration(7500), duration(100_000)]).toEqual(['0.4 s', '40 s', '4 min 13 s', '2 h 5 min', '1 d 3 h']);
  });
  test('the past is relative until a fortnight ago', () => {
    const now = new Date('2026-11-20T12:00:00Z');
    const at = (seconds: number) => ago(new Date(now.getTime() - seconds * 1000), now);
    expect([at(1), at(12), at(300), at(7200), at(90_000), at(6 * 86_400)]).toEqual(['just now', '12 s ago', '5 min ago', '2 h ago', 'yesterday', '6 d ago']);
    expect(at(30 * 86_400)).toBe('Oct 21, 2026');
  });
  test('a clock that is ahead of ours is now', () => {
    expect(ago(new Date('2026-11-20T12:00:09Z'), new Date('2026-11-20T12:00:00Z'))).toBe('just now');
  });
});

test('seconds of a profile are written as the file had them', () => {
  expect([written('date', 1_357_689_600), written('timestamp', 1_357_736_400)]).toEqual(['2013-01-09', '2013-01-09T13:00:00Z']);
});
