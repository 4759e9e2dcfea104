import type { Schemas } from '../../api/client';
import { Bars } from '../../ui/Bars';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { figure, percent, whole } from '../../ui/format';
import { Sparkline } from '../../ui/Sparkline';

type Hour = Schemas['TrafficHour'];

/** What the model was asked in the last day, hour by hour; nothing while nobody asked. */
export function Traffic({ traffic: found }: { traffic: Schemas['TrafficSeries'] }) {
  if (found.requests === 0) return null;
  const slow = answered(found.hours).map(({ p99_ms }) => p99_ms ?? 0);
  return (
    <Card title="Requests of the last 24 hours">
      <Facts
        facts={[
          ['Requests', whole(found.requests)],
          ['Rows refused', whole(found.refused)],
          ['Failed', `${whole(found.failed)} (${percent(found.failed_share)})`],
          ['Half answered within', milliseconds(found.hours, 'p50_ms')],
          ['99 of 100 within', milliseconds(found.hours, 'p99_ms')],
        ]}
      />
      <div className="row traffic">
        <Bars values={found.hours.map(({ requests }) => requests)} label={`${whole(found.requests)} requests in the last 24 hours, by hour`} />
        {slow.length > 1 && <Sparkline values={slow} fromZero label={`99 of 100 answers took at most ${figure(Math.max(...slow), 1)} ms in the slowest hour`} />}
      </div>
    </Card>
  );
}

/** The hours in which there were answers. */
export function answered(hours: Hour[]): Hour[] {
  return hours.filter(({ p50_ms }) => p50_ms !== null);
}

/** Of the last hour with an answer: percentiles of hours do not add up to that of a day. */
function milliseconds(hours: Hour[], name: 'p50_ms' | 'p99_ms'): string | null {
  const last = answered(hours).at(-1)?.[name];
  return last ? `${figure(last, 1)} ms` : null;
}
