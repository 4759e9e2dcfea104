import type { Schemas } from '../../api/client';
import { Sparkline } from '../../ui/Sparkline';
import { Tile } from '../../ui/Tile';
import { count, money, percent, whole } from '../../ui/format';

/** Four figures with what they were. */
export function Tiles({ overview }: { overview: Schemas['OverviewAnswer'] }) {
  const { cost, runs_by_day, succeeded_share, live_models, pending_approvals } = overview;
  const started = runs_by_day.map((day) => day.started);
  const runs = started.reduce((sum, each) => sum + each, 0);
  return (
    <div className="tiles">
      <Tile name="Runs, 30 days" value={whole(runs)} note={succeeded_share === null ? 'none has ended yet' : `${percent(succeeded_share)} of all succeeded`}>
        <Sparkline fromZero values={started} label={`Runs a day over ${runs_by_day.length} days, ${started.at(-1)} today`} />
      </Tile>
      <Tile name="Cost this month" value={money(cost.month_usd)} note={`forecast ${money(cost.forecast_usd)}, list prices`}>
        <Sparkline fromZero values={cost.days.map((day) => day.cost_usd)} label={`Cost a day over ${cost.days.length} days, ${money(cost.days.at(-1)?.cost_usd)} today`} />
      </Tile>
      <Tile name="Live models" value={whole(live_models.length)} note={`of ${count(overview.models, 'registered model')}`} />
      <Tile name="Waiting for a decision" value={whole(pending_approvals)} note={count(overview.dataset_versions, 'dataset version') + ' ready'} />
    </div>
  );
}
