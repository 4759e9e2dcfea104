import type { Schemas } from '../../api/client';
import { Bars } from '../../ui/Bars';
import { Sparkline } from '../../ui/Sparkline';
import { Tile } from '../../ui/Tile';
import { count, figure, money, percent, whole } from '../../ui/format';
import { costNote } from './costNote';

type Overview = Schemas['OverviewAnswer'];

/** Four figures with what they were. */
export function Tiles({ overview }: { overview: Overview }) {
  const { cost, live_models, pending_approvals, requests } = overview;
  const waiting = pending_approvals ? `${count(pending_approvals, 'version waits', 'versions wait')} for a decision` : 'none waits for a decision';
  return (
    <div className="tiles">
      <Tile name="Predictions, 24 hours" value={whole(requests.requests)} note={`${whole(requests.failed)} failed${requests.failed_share === null ? '' : ` (${percent(requests.failed_share)})`}, ${whole(requests.refused)} refused`}>
        <Bars values={requests.hours.map((hour) => hour.requests)} label={`${whole(requests.requests)} requests in the last 24 hours, by hour`} />
      </Tile>
      <Slowness hours={requests.hours} />
      <Tile name="Cost this month" value={money(cost.month_usd)} note={costNote(cost)}>
        <Sparkline fromZero values={cost.days.map((day) => day.cost_usd)} label={`Cost a day over ${cost.days.length} days, ${money(cost.days.at(-1)?.cost_usd)} today`} />
      </Tile>
      <Tile name="Live models" value={whole(live_models.length)} note={`of ${count(overview.models, 'registered model')}; ${waiting}`} />
    </div>
  );
}

/** Of the last hour with an answer: percentiles of hours do not add up to that of a day. */
function Slowness({ hours }: { hours: Overview['requests']['hours'] }) {
  const known = hours.map(({ p95_ms }) => p95_ms).filter((each) => each !== null);
  const last = known.at(-1);
  return (
    <Tile name="95 of 100 answered within" value={last === undefined ? '–' : `${figure(last, 1)} ms`} note={last === undefined ? 'nobody asked in 24 hours' : 'in the last hour that somebody asked'}>
      {known.length > 1 && <Sparkline values={known} fromZero label={`95 of 100 answers took at most ${figure(Math.max(...known), 1)} ms in the slowest hour`} />}
    </Tile>
  );
}
