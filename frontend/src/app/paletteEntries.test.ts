import { expect, test } from 'vitest';

import { entriesFor } from './paletteEntries';

const RUN = {
  run_id: 'training-1', pipeline: 'training', state: 'SUCCEEDED' as const, dataset: 'churn', dataset_version: 1, model: 'churn', started_by: 'user:ada',
  started_at: '2026-11-20T12:00:00Z', ended_at: '2026-11-20T12:01:00Z', seconds: 60, outcome: null, reason: null,
};
const KNOWN = { needs: [{ kind: 'approval' as const, at: RUN.started_at, model: 'credit', waiting: 1 }], running: [], recent_runs: [RUN], live_models: [] };

test('pages, models and runs are found by a part of their name', () => {
  expect(entriesFor('sett', undefined).map(({ path }) => path)).toEqual(['/settings']);
  expect(entriesFor('credit', KNOWN).map(({ path }) => path)).toEqual(['/models/credit']);
  expect(entriesFor('CHURN', KNOWN).map(({ path }) => path)).toEqual(['/runs/training-1']);
});

test('a run that is not among the latest is opened by its id', () => {
  expect(entriesFor('ingest-0a1b', KNOWN).map(({ path }) => path)).toEqual(['/runs/ingest-0a1b']);
  expect(entriesFor('training-1', KNOWN)).toHaveLength(1);
  expect(entriesFor('nothing so', KNOWN)).toEqual([]);
});
