/** A comparison as rows: one figure or fact each, of every candidate. */
import type { Schemas } from '../../api/client';
import { approvalStatus } from '../../api/states';
import { duration, money } from '../../ui/format';

type Candidate = Schemas['ComparedCandidate'];
type Metric = Schemas['Metric'];

export interface FactRow {
  name: string;
  /** What each candidate has, as it is shown. */
  values: string[];
  same: boolean;
}

export interface MetricRow {
  name: string;
  metrics: Array<Metric | undefined>;
  same: boolean;
}

const DASH = '–';

/** Each metric that any of them was measured by, the primary one first. */
export function metricRows(candidates: Candidate[]): MetricRow[] {
  const first = candidates[0]?.primary_metric;
  const names = [...new Set(candidates.flatMap(({ metrics }) => Object.keys(metrics)))].sort((a, b) => Number(b === first) - Number(a === first) || a.localeCompare(b));
  return names.map((name) => {
    const metrics = candidates.map((each) => each.metrics[name]);
    return { name, metrics, same: allSame(metrics.map((metric) => (metric ? `${metric.value} ${metric.low} ${metric.high}` : DASH))) };
  });
}

/** Each hyperparameter that any of them has. */
export function parameterRows(candidates: Candidate[]): FactRow[] {
  const names = [...new Set(candidates.flatMap(({ hyperparameters }) => Object.keys(hyperparameters)))].sort();
  return names.map((name) => row(name, candidates.map(({ hyperparameters }) => shown(hyperparameters[name]))));
}

/** How each was made, what that took and cost, and how it stands. */
export function makeRows(candidates: Candidate[]): FactRow[] {
  const facts: Array<[string, (candidate: Candidate) => string]> = [
    ['Algorithm', ({ algorithm }) => algorithm],
    ['Data', ({ dataset, dataset_version }) => `${dataset} v${dataset_version}`],
    ['Predicts', ({ target, task }) => `${target} (${task})`],
    ['Trained in', ({ training_seconds }) => duration(training_seconds)],
    ['Its training cost', ({ cost_usd }) => money(cost_usd)],
    ['The whole run took', ({ run_seconds }) => duration(run_seconds)],
    ['The whole run cost', ({ run_cost_usd }) => money(run_cost_usd)],
    ['Code', ({ code_digest }) => code_digest.slice(0, 12)],
    ['Contract', ({ contract_version }) => `version ${contract_version}`],
    ['Started by', ({ started_by }) => started_by],
    ['Decision', ({ approval, live }) => (live ? 'Live' : approvalStatus(approval).word)],
    ['Verdict', ({ verdict }) => verdict.sentence],
  ];
  return facts.map(([name, of]) => row(name, candidates.map(of)));
}

function row(name: string, values: string[]): FactRow {
  return { name, values, same: allSame(values) };
}

function allSame(values: string[]): boolean {
  return values.every((value) => value === values[0]);
}

function shown(value: unknown): string {
  if (value === undefined) return DASH;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
