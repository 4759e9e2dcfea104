import type { Schemas } from '../../api/client';
import { count } from '../../ui/format';

type Overview = Schemas['OverviewAnswer'];
type Need = Schemas['NeedAnswer'];

export interface NeedShown {
  key: string;
  kind: 'ask' | 'bad' | 'watch';
  word: string;
  title: string;
  detail: string;
  at: string;
  to: string;
}

const DRIFTED: Record<Schemas['DriftKind'], string> = { data: 'Inputs', prediction: 'Answers', performance: 'The quality' };

/** What waits, in the words of the row; `to` is the exact place to deal with it. */
export function needShown(need: Need): NeedShown {
  if (need.kind === 'approval' && need.version) {
    const { id, number } = need.version;
    const others = need.waiting! > 1 ? ` ${count(need.waiting! - 1, 'other candidate waits', 'other candidates wait')}.` : '';
    return { key: id, kind: 'ask', word: 'Approval', title: `${need.model} v${number} waits for your approval`, detail: `${need.sentence}${others}`, at: need.at, to: `/models/${need.model}/${number}` };
  }
  if (need.kind === 'drift' && need.drift) {
    const { id, model, kind, sentence } = need.drift;
    return { key: id, kind: 'watch', word: 'Drift', title: `${DRIFTED[kind]} of ${model} drifted`, detail: sentence.replaceAll('`', ''), at: need.at, to: `/monitoring?model=${encodeURIComponent(model)}${kind === 'data' ? '' : `&kind=${kind}`}` };
  }
  const run = need.run!;
  return {
    key: run.run_id,
    kind: 'bad',
    word: 'Failed',
    title: `${run.dataset} ${run.pipeline} failed${need.step ? ` in ${need.step}` : ''}`,
    detail: run.reason ?? 'It left no reason.',
    at: need.at,
    to: `/runs/${run.run_id}${need.step ? `?step=${encodeURIComponent(need.step)}` : ''}`,
  };
}

/** The heading is the answer: how many things need somebody. */
export function headingOf({ needs, datasets }: Pick<Overview, 'needs' | 'datasets'>): string {
  if (datasets === 0) return 'Start with a dataset';
  if (needs.length === 0) return 'All is well';
  return `${count(needs.length, 'thing needs', 'things need')} you`;
}

/** How far a run is against the usual, and in words. Without a usual time there is no share. */
export function progressOf(run: Schemas['RunningRun'], now: Date): { share: number | null; seconds: number } {
  const seconds = Math.max(0, (now.getTime() - Date.parse(run.started_at)) / 1000);
  return { share: run.usual_seconds ? Math.min(0.98, seconds / run.usual_seconds) : null, seconds };
}
