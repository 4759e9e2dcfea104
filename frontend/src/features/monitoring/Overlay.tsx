import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { ChartFrame } from '../../ui/charts/ChartFrame';
import { Dated } from '../../ui/Dated';
import { count, figure, percent } from '../../ui/format';

type Selected = Schemas['SelectedFeature'];
type Drawn = Schemas['DriftOverlay'];

const HEIGHT = 100;
/** More levels than this have no room for their names; the table has them. */
const NAMED = 8;

/** How a feature was spread over its values in training, and how it is now: both periods and their sizes are named. */
export function Overlay({ selected }: { selected: Selected }) {
  const { feature, overlay } = selected;
  const title = `${feature}: training and now`;
  const training = `${selected.baseline ?? 'training'}, ${count(selected.baseline_rows, 'row')}`;
  const now = `${selected.window}, ${count(selected.window_rows, 'row')}`;
  if (!overlay) {
    return (
      <Card title={title}>
        <Periods training={training} now={now} />
        <p className="quiet">The report has no distribution of it to draw.</p>
      </Card>
    );
  }
  const bins = binNames(overlay);
  const rows = bins.map((name, index) => [name, percent(overlay.baseline[index]), percent(overlay.window[index])]);
  return (
    <ChartFrame title={title} summary={`${feature} in ${training}, beside ${now}`} table={{ head: [feature, 'Training', 'Now'], rows }}>
      <Bars overlay={overlay} />
      <Axis overlay={overlay} bins={bins} />
      <Periods training={training} now={now} />
    </ChartFrame>
  );
}

function Bars({ overlay }: { overlay: Drawn }) {
  const highest = Math.max(...overlay.baseline, ...overlay.window, 1e-9);
  const bars = overlay.baseline.length;
  const tall = (share: number) => (share / highest) * HEIGHT;
  return (
    <svg className="overlay" viewBox={`0 0 ${bars} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {overlay.baseline.map((share, index) => (
        <rect key={index} className="overlay-training" x={index + 0.04} width={0.92} y={HEIGHT - tall(share)} height={tall(share)} />
      ))}
      {overlay.window.map((share, index) => (
        <rect key={index} className="overlay-now" x={index + 0.27} width={0.46} y={HEIGHT - tall(share)} height={tall(share)} />
      ))}
    </svg>
  );
}

function Axis({ overlay, bins }: { overlay: Drawn; bins: string[] }) {
  if (overlay.levels.length > NAMED) return <p className="meta">{count(overlay.levels.length, 'level')}; the table names them.</p>;
  const { edges } = overlay;
  const names = overlay.levels.length ? bins : [edges[0], edges[Math.floor(edges.length / 2)], edges.at(-1)].map((edge) => figure(edge, 2));
  return (
    <div className={overlay.levels.length ? 'overlay-levels meta' : 'overlay-edges meta'}>
      {names.map((name, index) => (
        <span key={index}>{name}</span>
      ))}
    </div>
  );
}

function Periods({ training, now }: { training: string; now: string }) {
  return (
    <ul className="overlay-periods">
      <li>
        <span className="heat-key overlay-key-training" />
        <span>
          <Dated>{`Training: ${training}`}</Dated>
        </span>
      </li>
      <li>
        <span className="heat-key overlay-key-now" />
        <span>
          <Dated>{`Now: ${now}`}</Dated>
        </span>
      </li>
    </ul>
  );
}

function binNames({ edges, levels }: Drawn): string[] {
  return levels.length ? levels : edges.slice(0, -1).map((edge, index) => `${figure(edge, 2)} to ${figure(edges[index + 1], 2)}`);
}
