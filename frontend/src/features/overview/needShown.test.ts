import { expect, test } from 'vitest';

import type { Schemas } from '../../api/client';
import { headingOf, needShown, progressOf } from './needShown';

const run: Schemas['RunSummary'] = {
  run_id: 'ingest-1', pipeline: 'ingest', state: 'FAILED', dataset: 'churn', dataset_version: null, model: null, started_by: 'upload',
  started_at: '2026-11-20T12:00:00Z', ended_at: '2026-11-20T12:01:00Z', seconds: 60, outcome: null, reason: 'torn',
};

test('the heading counts what needs somebody', () => {
  const need: Schemas['NeedAnswer'] = { kind: 'run_failed', at: run.started_at, run, waiting: 0 };
  expect(headingOf({ datasets: 2, needs: [need] })).toBe('1 thing needs you');
  expect(headingOf({ datasets: 2, needs: [need, need] })).toBe('2 things need you');
  expect(headingOf({ datasets: 2, needs: [] })).toBe('All is well');
  expect(headingOf({ datasets: 0, needs: [] })).toBe('Start with a dataset');
});

test('a failed run leads to the step that failed', () => {
  const shown = needShown({ kind: 'run_failed', at: run.started_at, run, waiting: 0, step: 'Prepare Dataset' });
  expect(shown.to).toBe('/runs/ingest-1?step=Prepare%20Dataset');
  expect(shown.title).toBe('churn ingest failed in Prepare Dataset');
});

test('progress is against the usual time, and never complete before the end', () => {
  const running = { ...run, state: 'RUNNING' as const, ended_at: null, usual_seconds: 100 };
  const at = (seconds: number) => new Date(Date.parse(run.started_at) + seconds * 1000);
  expect(progressOf(running, at(50)).share).toBe(0.5);
  expect(progressOf(running, at(500)).share).toBe(0.98);
  expect(progressOf({ ...running, usual_seconds: null }, at(50))).toEqual({ share: null, seconds: 50 });
});

test('drift leads to the monitoring of its model', () => {
  const drift = { id: 'drift-1-data', model: 'churn', kind: 'data', sentence: 'age moved' } as Schemas['DriftReportSummary'];
  const shown = needShown({ kind: 'drift', at: run.started_at, drift, waiting: 0 });
  expect([shown.title, shown.detail, shown.to]).toEqual(['Inputs of churn drifted', 'age moved', '/monitoring?model=churn']);
});
