import type { Schemas } from '../../api/client';
import { metricName } from '../../api/metricNames';
import { Card } from '../../ui/Card';
import { figure } from '../../ui/format';

const SHOWN = 12;

/** What the version leans on: how much worse it becomes without a feature's order. */
export function Importance({ of, metric }: { of: Schemas['Importance'][]; metric: string }) {
  const sorted = [...of].sort((a, b) => b.importance - a.importance).slice(0, SHOWN);
  const most = Math.max(...sorted.map(({ importance }) => importance), Number.MIN_VALUE);
  if (!sorted.length) return null;
  return (
    <Card title="Feature importance">
      <ul className="importance">
        {sorted.map(({ feature, importance, deviation }) => (
          <li key={feature}>
            <span>{feature}</span>
            <span className="importance-bar">
              <span style={{ width: `${Math.max(0, importance / most) * 100}%` }} />
            </span>
            <span className="meta">
              {figure(importance, 3)} ± {figure(deviation, 3)}
            </span>
          </li>
        ))}
      </ul>
      <p className="meta">How much worse {metricName(metric)} becomes when the feature is shuffled in the test rows.</p>
    </Card>
  );
}
