import { lazy, Suspense } from 'react';

import { Skeleton } from '../Loaded';
import { figure } from '../format';
import { ChartFrame } from './ChartFrame';

export interface Series {
  name: string;
  /** `dashed` is what is live, `plain` what is new, `quiet` a reference. */
  look: 'plain' | 'dashed' | 'quiet';
  points: Array<{ x: number; y: number }>;
}

export interface LineChartProps {
  title: string;
  summary: string;
  xName: string;
  yName: string;
  series: Series[];
  /** A point marked on each series, nearest to this x: for thresholds. */
  marks?: Array<{ x: number; y: number; name: string }>;
  xRange?: [number, number];
  yRange?: [number, number];
}

export const CHART_HEIGHT = 280;

// The chart library is 90 kB: it comes when the first chart is shown.
const Drawing = lazy(() => import('./LineDrawing'));

/** Lines over a number, with everything a chart must have (ChartFrame). */
export function LineChart(props: LineChartProps) {
  const { title, summary, xName, yName, series } = props;
  const rows = series.flatMap(({ name, points }) => points.map(({ x, y }) => [name, figure(x), figure(y)]));
  return (
    <ChartFrame title={title} summary={summary} table={{ head: ['Series', xName, yName], rows }}>
      <Suspense fallback={<Skeleton height={CHART_HEIGHT} />}>
        <Drawing {...props} />
      </Suspense>
    </ChartFrame>
  );
}
