import { expect, test } from 'vitest';
import { costNote } from './costNote';

test('without endpoints the note is of the forecast alone', () => {
  expect(costNote({ endpoints_usd: 0, endpoints_at_least: false, forecast_usd: 2.76 })).toBe('forecast $2.76; runs and endpoints at list prices');
});

test('what endpoints cost is said, and that it is the least where they may have grown', () => {
  expect(costNote({ endpoints_usd: 12.4, endpoints_at_least: false, forecast_usd: 42 })).toBe('$12.40 of it for endpoints; forecast $42.00; runs and endpoints at list prices');
  expect(costNote({ endpoints_usd: 12.4, endpoints_at_least: true, forecast_usd: 42 })).toBe('$12.40 of it for endpoints, at least; forecast $42.00; runs and endpoints at list prices');
});
