import { figure } from '../format';
import { ChartFrame } from './ChartFrame';
import { LineDrawing } from './LineDrawing';

export interface Series {
  name: string;
  /** `dashed` is what is live, `plain` what is new, `quiet` a reference. */
  look: 'plain' | 'dashed' | 'quiet';
  /** Tells lines of one look apart, from 0 on. */
  hue?: number;
  points: Array<{ x: number; y: number }>;
}

export interface LineChartProps {
  title: string;
  summary: string;
  xName: string;
  yName: string;
  series: Series[];
  /** Points that mean something, for example where a threshold is. */
  marks?: Array<{ x: number; y: number; name: string }>;
  xRange?: [number, number];
  yRange?: [number, number];
}

/** Lines over a number, with everything a chart must have (ChartFrame). */
export function LineChart(props: LineChartProps) {
  const { title, summary, xName, yName, series } = props;
  const rows = series.flatMap(({ name, points }) => points.map(({ x, y }) => [name, figure(x), figure(y)]));
  return (
    <ChartFrame title={title} summary={summary} table={{ head: ['Series', xName, yName], rows }}>
      <LineDrawing {...props} />
    </ChartFrame>
  );
}
