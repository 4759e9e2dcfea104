/** A run's steps as the graph and the timeline draw them. */
import type { Schemas } from '../../api/client';
import { runStatus } from '../../api/states';
import { duration } from '../../ui/format';
import type { Span } from '../../ui/Timeline';
import type { Step } from '../../ui/Dag';

type RunStep = Schemas['StepAnswer'];

/** Tells the branches of one step apart, and a step that was entered again: `TrainOnSpot xgboost`, `PrepareDataset 2`. */
export function keysOf(steps: RunStep[]): string[] {
  const seen = new Map<string, number>();
  return steps.map(({ name, item }) => {
    const key = item ? `${name} ${item}` : name;
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    return times === 1 ? key : `${key} ${times}`;
  });
}

/** `TrainOnSpot xgboost` → `Train on spot xgboost`. */
export function words(key: string): string {
  const [name = '', ...rest] = key.split(' ');
  const spaced = name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return [spaced.charAt(0).toUpperCase() + spaced.slice(1), ...rest].join(' ');
}

/** Steps follow each other in the order they began; neighbouring branches stand side by side. */
export function graphOf(steps: RunStep[]): Step[] {
  const keys = keysOf(steps);
  let before: string[] = [];
  let group: string[] = [];
  return steps.map((step, index) => {
    const key = keys[index]!;
    const beside = step.item !== null && steps[index - 1]?.item != null;
    if (!beside) {
      before = group;
      group = [];
    }
    group = [...group, key];
    const status = runStatus(step.state);
    return { id: key, name: words(key), after: before, status: status.kind, word: step.seconds === null ? status.word : duration(step.seconds) };
  });
}

export function spansOf(steps: RunStep[]): Span[] {
  const keys = keysOf(steps);
  return steps.map((step, index) => ({ id: keys[index]!, name: words(keys[index]!), status: runStatus(step.state).kind, start: step.started_at, end: step.ended_at }));
}

export interface FailedStep {
  key: string;
  step: RunStep;
}

/** The step whose failure is the run's. */
export function failedStep(steps: RunStep[]): FailedStep | undefined {
  const keys = keysOf(steps);
  const index = steps.findLastIndex((step) => step.state === 'FAILED' || step.state === 'TIMED_OUT');
  return index < 0 ? undefined : { key: keys[index]!, step: steps[index]! };
}
