import { describe, expect, it } from 'vitest';

import type { Schemas } from '../../api/client';
import { makeRows, metricRows, parameterRows } from './compareRows';

const metric = (value: number) => ({ value, low: value - 0.1, high: value + 0.1, higher_is_better: true });

function candidate(id: string, facts: Partial<Schemas['ComparedCandidate']> = {}): Schemas['ComparedCandidate'] {
  return {
    id,
    run_id: 'training-1',
    algorithm: 'linear',
    task: 'binary',
    target: 'left',
    dataset: 'churn',
    dataset_version: 3,
    contract_version: 1,
    code_digest: '61359363d013aaaa',
    hyperparameters: {},
    primary_metric: 'roc_auc',
    metrics: { accuracy: metric(0.7), roc_auc: metric(0.8) },
    verdict: { sentence: 'The first.' } as Schemas['Verdict'],
    recommended: false,
    approval: 'PENDING',
    live: false,
    training_seconds: 12,
    billable_seconds: 4,
    cost_usd: 0.5,
    run_seconds: 60,
    run_cost_usd: null,
    started_by: 'ada',
    created_at: '2026-11-20T12:00:00Z',
    curves: {},
    ...facts,
  };
}

describe('metricRows', () => {
  it('puts the primary metric first, and a metric that one does not have stays empty there', () => {
    const rows = metricRows([candidate('a:1'), candidate('a:2', { metrics: { roc_auc: metric(0.8), log_loss: metric(0.3) } })]);

    expect(rows.map(({ name, same }) => [name, same])).toEqual([
      ['roc_auc', true],
      ['accuracy', false],
      ['log_loss', false],
    ]);
    expect(rows[1]!.metrics[1]).toBeUndefined();
  });

  it('is no equal row when only the interval differs', () => {
    const wider = { ...metric(0.8), low: 0.5 };
    expect(metricRows([candidate('a:1'), candidate('a:2', { metrics: { roc_auc: wider } })])[0]!.same).toBe(false);
  });
});

describe('parameterRows', () => {
  it('shows every parameter that any has, and a dash where one has it not', () => {
    const rows = parameterRows([candidate('a:1', { hyperparameters: { depth: 4, none: null } }), candidate('a:2', { hyperparameters: { depth: 4, alpha: 0.1 } })]);

    expect(rows.map(({ name, values, same }) => [name, values, same])).toEqual([
      ['alpha', ['–', '0.1'], false],
      ['depth', ['4', '4'], true],
      ['none', ['null', '–'], false],
    ]);
  });
});

describe('makeRows', () => {
  it('says what it cost, a dash where that is not known, and who is live', () => {
    const rows = Object.fromEntries(makeRows([candidate('a:1', { live: true, approval: 'APPROVED' }), candidate('a:2', { cost_usd: null })]).map(({ name, values }) => [name, values]));

    expect(rows['Its training cost']).toEqual(['$0.50', '–']);
    expect(rows.Decision).toEqual(['Live', 'Needs approval']);
  });
});
