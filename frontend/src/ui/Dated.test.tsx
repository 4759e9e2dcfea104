import { render } from '@testing-library/react';
import { expect, test } from 'vitest';

import { Dated } from './Dated';
import { Page } from './Page';

function datesOf(text: string): string[] {
  const { container } = render(<Dated>{text}</Dated>);
  expect(container).toHaveTextContent(text);
  return [...container.querySelectorAll('time')].map((each) => each.dateTime);
}

test('each date of a sentence is a time, which no line ends in, and the sentence reads as before', () => {
  expect(datesOf('1 of 2 features drifted on 2026-11-29')).toEqual(['2026-11-29']);
  expect(datesOf('requests from 2026-11-19 00:00 to 2026-11-20T00:15:00Z.')).toEqual(['2026-11-19', '2026-11-20T00:15:00Z']);
});

test('what only looks like a date is left alone', () => {
  expect(datesOf('flights-2026-11-29-x, 12026-11-290, 2026-11')).toEqual([]);
});

test('the heading of a screen keeps its dates whole', () => {
  const { getByRole } = render(<Page title="Nothing drifted on 2026-11-29">rows</Page>);

  expect(getByRole('heading', { name: 'Nothing drifted on 2026-11-29' }).querySelector('time')).toHaveTextContent('2026-11-29');
});
