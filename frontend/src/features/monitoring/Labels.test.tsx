import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';

import type { Schemas } from '../../api/client';
import { Labels } from './Labels';

const STANDING: Schemas['LabelStanding'] = {
  sentence: '812 of 900 labels joined a prediction; 88 wait for theirs, the oldest since 2026-11-02.',
  known: 900,
  joined: 800,
  elsewhere: 12,
  waiting: 88,
  oldest_waiting: '2026-11-02',
  unlabelled: 3410,
  window: 'requests from 2026-10-20 12:00 to 2026-11-20 12:00',
  window_rows: 4210,
  report_id: 'drift-5f1c9a7be2d04c11-performance',
  counted_at: '2026-11-20T12:00:00Z',
};

function shown(labels: Schemas['LabelStanding'] | null) {
  render(<Labels labels={labels} />);
  return screen.queryByRole('region', { name: 'Labels of the last 30 days' });
}

test('both counts are told, those of labels and those of predictions, and what waiting means', () => {
  const labels = shown(STANDING);

  expect(labels).toHaveTextContent('812 of 900 labels joined a prediction; 88 wait for theirs, the oldest since 2026-11-02.');
  expect(labels).toHaveTextContent('3,410 of 4,210 predictions wait for their labels: requests from 2026-10-20 12:00 to 2026-11-20 12:00.');
  expect(labels).toHaveTextContent('One that waits came before its prediction, or names a record that no request');
});

test('where no label waits, nothing explains waiting', () => {
  const labels = shown({ ...STANDING, sentence: 'All 900 labels joined a prediction.', waiting: 0, oldest_waiting: null, unlabelled: 0 });

  expect(labels).toHaveTextContent('All 900 labels joined a prediction.');
  expect(labels).toHaveTextContent('None of 4,210 predictions waits for its label');
  expect(labels).not.toHaveTextContent('One that waits');
});

test('labels that were looked for in one window only are not said to wait', () => {
  const sentence = '12 of 900 labels of the last 30 days joined a prediction of this window; the others were not looked for elsewhere.';
  const labels = shown({ ...STANDING, sentence, joined: 12, elsewhere: null, waiting: null, oldest_waiting: null });

  expect(labels).toHaveTextContent('“Check now” over 31 days looks for the predictions of all labels.');
  expect(labels).not.toHaveTextContent('One that waits');
});

test('before a check counted labels, nothing is said of them', () => {
  expect(shown(null)).toBeNull();
});
