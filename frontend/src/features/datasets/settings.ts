/** The settings of a dataset as a form has them, and the change that a filled-in form asks for. */
import type { Schemas } from '../../api/client';

type Settings = Schemas['DatasetSettings'];
type Change = Schemas['SettingsChange'];

export const TASKS: Record<Schemas['Task'], string> = { binary: 'two classes', multiclass: 'several classes', regression: 'a number' };
export const STRATEGIES: Record<Schemas['Strategy'], string> = {
  all_at_once: 'all at once',
  canary: 'a share first (canary)',
  linear: 'step by step (linear)',
  shadow: 'in the shadow first',
};
export const ALGORITHMS: Record<string, string> = { random_forest: 'Random forest', xgboost: 'XGBoost', linear: 'Linear' };

/** Everything as it stands in an input. */
export interface Draft {
  target: string;
  task: string;
  key: string;
  group: string;
  exclude: string;
  quarantinedPercent: string;
  onNewVersion: boolean;
  algorithms: string[];
  trials: string;
  strategy: string;
  fourEyes: boolean;
}

export function draftOf(settings: Partial<Settings>): Draft {
  return {
    target: settings.target ?? '',
    task: settings.task ?? '',
    key: (settings.key ?? []).join(', '),
    group: settings.group ?? '',
    exclude: (settings.exclude ?? []).join(', '),
    quarantinedPercent: String(Number(((settings.max_quarantined_share ?? 0) * 100).toFixed(6))),
    onNewVersion: settings.training?.on_new_version ?? true,
    algorithms: settings.training?.algorithms ?? [],
    trials: String(settings.training?.trials ?? ''),
    strategy: settings.deployment?.strategy ?? 'all_at_once',
    fourEyes: settings.four_eyes ?? false,
  };
}

/** Only what differs: what somebody else changed meanwhile stays, and the record says what was meant. */
export function changeOf(before: Draft, after: Draft): Change {
  const has = (...fields: (keyof Draft)[]) => fields.some((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
  const training = {
    ...(has('onNewVersion') && { on_new_version: after.onNewVersion }),
    ...(has('algorithms') && { algorithms: after.algorithms }),
    ...(has('trials') && { trials: numberOf(after.trials) }),
  };
  return {
    ...(has('target') && { target: after.target.trim() || null }),
    ...(has('task') && { task: (after.task || null) as Change['task'] }),
    ...(has('key') && { key: namesOf(after.key) }),
    ...(has('group') && { group: after.group.trim() || null }),
    ...(has('exclude') && { exclude: namesOf(after.exclude) }),
    ...(has('quarantinedPercent') && { max_quarantined_share: shareOf(after.quarantinedPercent) }),
    ...(Object.keys(training).length > 0 && { training }),
    ...(has('strategy') && { deployment: { strategy: after.strategy } }),
    ...(has('fourEyes') && { four_eyes: after.fourEyes }),
  };
}

function namesOf(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

/** What is no number goes as it was typed: the platform says what is wrong with it. */
function numberOf(text: string): number {
  return (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)) as number;
}

function shareOf(text: string): number {
  const percent = numberOf(text);
  return typeof percent === 'number' ? Number((percent / 100).toFixed(8)) : percent;
}
