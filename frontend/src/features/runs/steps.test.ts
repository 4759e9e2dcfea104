import { describe, expect, it } from 'vitest';

import type { Schemas } from '../../api/client';
import { failedStep, graphOf, keysOf, words } from './steps';

function step(name: string, item: string | null = null, state: Schemas['RunState'] = 'SUCCEEDED'): Schemas['StepAnswer'] {
  return { name, item, state, started_at: null, ended_at: null, seconds: null, reason: null, job: null, invocations: null, transitions: null };
}

describe('keysOf', () => {
  it('tells branches and repetitions of a step apart', () => {
    expect(keysOf([step('Train', 'linear'), step('Train', 'xgboost'), step('Prepare'), step('Prepare')])).toEqual(['Train linear', 'Train xgboost', 'Prepare', 'Prepare 2']);
  });
});

describe('words', () => {
  it('spaces a state name and keeps the branch as it is', () => {
    expect(words('TrainOnSpot random_forest')).toBe('Train on spot random_forest');
  });
});

describe('graphOf', () => {
  it('puts branches beside each other, and what comes next after all of them', () => {
    const graph = graphOf([step('Plan'), step('Train', 'linear'), step('Train', 'xgboost'), step('Collect')]);

    expect(graph.map(({ id, after }) => [id, after])).toEqual([
      ['Plan', []],
      ['Train linear', ['Plan']],
      ['Train xgboost', ['Plan']],
      ['Collect', ['Train linear', 'Train xgboost']],
    ]);
  });
});

describe('failedStep', () => {
  it('is the last one that failed, since a branch before it may have been survived', () => {
    expect(failedStep([step('Train', 'linear', 'FAILED'), step('Evaluate', null, 'TIMED_OUT'), step('Tell')])?.key).toBe('Evaluate');
  });

  it('is nothing in a run that succeeded', () => {
    expect(failedStep([step('Plan')])).toBeUndefined();
  });
});
