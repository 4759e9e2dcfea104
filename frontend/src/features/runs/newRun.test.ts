import { expect, test } from 'vitest';

import type { Schemas } from '../../api/client';
import { choicesOf, draftOf, expected, fitting, metricsFor } from './newRun';

const POLICY = { algorithms: ['xgboost', 'linear'], trials: 4, metric: null, instance_type: 'ml.m5.large', hyperparameters: { xgboost: { max_depth: 3 } } };

function anAlgorithm(name: string, facts: Partial<Schemas['AlgorithmAnswer']>): Schemas['AlgorithmAnswer'] {
  return { name, title: name, tasks: ['binary', 'regression'], spot: false, parameters: [], runs: 2, seconds: null, cost_usd: null, ...facts };
}

test('a form that was left alone asks for nothing of its own', () => {
  const draft = draftOf(POLICY, undefined);
  expect(choicesOf(draft, { ...draft })).toBeNull();
});

test('what was changed is asked for, and what was emptied is left to the search again', () => {
  const before = draftOf(POLICY, 3);
  const after = { ...before, algorithms: ['linear'], trials: '9', machine: 'ml.m5.xlarge', parameters: { 'xgboost.max_depth': ' ', 'linear.alpha': '0.5', 'linear.penalty': 'l1' } };
  expect(before.version).toBe('3');
  expect(choicesOf(before, after)).toEqual({ algorithms: ['linear'], trials: 9, instance_type: 'ml.m5.xlarge', hyperparameters: { linear: { alpha: 0.5, penalty: 'l1' } } });
});

test('what is no number goes as it was typed', () => {
  const before = draftOf(POLICY, undefined);
  expect(choicesOf(before, { ...before, trials: 'many' })).toEqual({ trials: 'many' });
});

test('a run takes as long as the slowest of what was chosen, and costs all of it', () => {
  const known = { algorithms: [anAlgorithm('xgboost', { seconds: 300, cost_usd: 0.01 }), anAlgorithm('linear', { seconds: 60, cost_usd: 0.002 }), anAlgorithm('forest', { runs: 0 })], around_seconds: 200, around_cost_usd: 0.005 };
  expect(expected(known, ['xgboost', 'linear'])).toEqual({ seconds: 500, cost: 0.017, unknown: [] });
  expect(expected(known, ['linear'])).toEqual({ seconds: 260, cost: 0.007, unknown: [] });
  expect(expected(known, ['forest'])).toEqual({ seconds: null, cost: null, unknown: ['forest'] });
});

test('only what fits the task is offered', () => {
  const both = [anAlgorithm('xgboost', {}), anAlgorithm('classes', { tasks: ['binary'] })];
  expect(fitting(both, 'regression').map(({ name }) => name)).toEqual(['xgboost']);
  expect(fitting(both, null)).toHaveLength(2);
  const metrics = { binary: ['roc_auc', 'log_loss'], multiclass: ['log_loss'], regression: ['rmse'] };
  expect(metricsFor({ metrics, task: 'regression' })).toEqual(['rmse']);
  expect(metricsFor({ metrics, task: null })).toEqual(['roc_auc', 'log_loss', 'rmse']);
});
