/** What a person fills in before a run, the choices that it asks for, and what the run will take. */
import type { Schemas } from '../../api/client';

type Options = Schemas['TrainingOptionsAnswer'];
type Choices = Schemas['TrainingChoices'];
type Policy = Schemas['TrainingPolicy'];
type Algorithm = Schemas['AlgorithmAnswer'];

/** Everything as it stands in an input. An empty hyperparameter is left to the search, or to its default. */
export interface Draft {
  version: string;
  algorithms: string[];
  trials: string;
  metric: string;
  machine: string;
  /** By `algorithm.parameter`. */
  parameters: Record<string, string>;
}

export function draftOf(policy: Partial<Policy> | null, version: number | undefined): Draft {
  const fixed = Object.entries(policy?.hyperparameters ?? {}).flatMap(([algorithm, values]) => Object.entries(values).map(([name, value]) => [`${algorithm}.${name}`, String(value)]));
  return {
    version: version ? String(version) : '',
    algorithms: policy?.algorithms ?? [],
    trials: String(policy?.trials ?? ''),
    metric: policy?.metric ?? '',
    machine: policy?.instance_type ?? '',
    parameters: Object.fromEntries(fixed) as Record<string, string>,
  };
}

/** Only what differs from what the dataset's settings say: those stay, for this run and all others. */
export function choicesOf(before: Draft, after: Draft): Choices | null {
  const differs = (field: keyof Draft) => JSON.stringify(before[field]) !== JSON.stringify(after[field]);
  const choices: Choices = {
    ...(differs('algorithms') && { algorithms: after.algorithms }),
    ...(differs('trials') && { trials: numberOf(after.trials) as number }),
    ...(differs('metric') && { metric: after.metric || null }),
    ...(differs('machine') && { instance_type: after.machine }),
    ...(differs('parameters') && { hyperparameters: fixedOf(after.parameters) }),
  };
  return Object.keys(choices).length ? choices : null;
}

function fixedOf(parameters: Record<string, string>): NonNullable<Choices['hyperparameters']> {
  const fixed: NonNullable<Choices['hyperparameters']> = {};
  for (const [key, text] of Object.entries(parameters)) {
    const [algorithm = '', name = ''] = key.split('.');
    if (text.trim() !== '') (fixed[algorithm] ??= {})[name] = numberOf(text.trim());
  }
  return fixed;
}

/** What is no number goes as it was typed: the platform says what is wrong with it. */
function numberOf(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

export interface Expected {
  seconds: number | null;
  cost: number | null;
  /** Chosen, and never trained in the runs that are looked at. */
  unknown: string[];
}

/** Algorithms are trained side by side: the slowest of the chosen ones counts for the time, all of them for the cost. */
export function expected({ algorithms, around_seconds, around_cost_usd }: Pick<Options, 'algorithms' | 'around_seconds' | 'around_cost_usd'>, chosen: string[]): Expected {
  const asked = algorithms.filter(({ name }) => chosen.includes(name));
  const times = asked.map(({ seconds }) => seconds).filter((each) => each !== null);
  const costs = asked.map(({ cost_usd }) => cost_usd).filter((each) => each !== null);
  return {
    seconds: around_seconds === null || !times.length ? null : around_seconds + Math.max(...times),
    cost: around_cost_usd === null || !costs.length ? null : around_cost_usd + costs.reduce((sum, each) => sum + each, 0),
    unknown: asked.filter(({ runs }) => runs === 0).map(({ title }) => title),
  };
}

/** Those that can be trained for the task; all of them while it is found in the data. */
export function fitting(algorithms: Algorithm[], task: Options['task']): Algorithm[] {
  return algorithms.filter(({ tasks }) => !task || tasks.includes(task));
}

/** What may decide between candidates: for the task, or for any while it is found in the data. */
export function metricsFor({ metrics, task }: Pick<Options, 'metrics' | 'task'>): string[] {
  return task ? (metrics[task] ?? []) : [...new Set(Object.values(metrics).flat())];
}
