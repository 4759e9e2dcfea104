import type { Schemas } from '../api/client';
import type { IconName } from '../ui/Icon';
import { PLACES } from './places';

export interface Entry {
  path: string;
  name: string;
  kind: string;
  icon: IconName;
}

type Known = Pick<Schemas['OverviewAnswer'], 'needs' | 'running' | 'recent_runs' | 'live_models'>;

const RUN_ID = /^(ingest|training|deployment|batch|drift)-[\w-]+$/;
const SHOWN = 12;

/** What the text may mean: pages, models and runs that the overview knows, or a run by its whole id. */
export function entriesFor(text: string, known: Known | undefined): Entry[] {
  const wanted = text.trim().toLowerCase();
  const all = [...pages(), ...(known ? [...models(known), ...runs(known)] : [])];
  const found = all.filter(({ name }) => name.toLowerCase().includes(wanted));
  const run = RUN_ID.test(wanted) && !found.some(({ path }) => path === `/runs/${wanted}`) ? [runEntry(wanted, wanted)] : [];
  return [...found, ...run].slice(0, SHOWN);
}

function pages(): Entry[] {
  return PLACES.map(({ path, name, icon }) => ({ path, name, kind: 'page', icon }));
}

function models({ needs, live_models }: Known): Entry[] {
  const names = new Set([...live_models.map(({ name }) => name), ...needs.flatMap(({ kind, model }) => (kind === 'approval' && model ? [model] : []))]);
  return [...names].sort().map((name) => ({ path: `/models/${name}`, name, kind: 'model', icon: 'cube' }));
}

function runs({ running, recent_runs }: Known): Entry[] {
  return [...running, ...recent_runs].map((run) => runEntry(run.run_id, `${run.dataset} ${run.pipeline} ${run.run_id}`));
}

function runEntry(id: string, name: string): Entry {
  return { path: `/runs/${id}`, name, kind: 'run', icon: 'play' };
}
