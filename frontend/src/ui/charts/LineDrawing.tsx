import { LineChart as XLineChart } from '@mui/x-charts/LineChart';

import { CHART_HEIGHT, type LineChartProps, type Series } from './LineChart';

const COLOURS: Record<Series['look'], string> = { plain: 'var(--series-1)', dashed: 'var(--series-2)', quiet: 'var(--series-3)' };

/** The drawing alone; what it is called and says stands around it. */
export default function LineDrawing({ xName, yName, series, xRange, yRange, marks = [] }: LineChartProps) {
  const xs = [...new Set([...series.flatMap(({ points }) => points.map(({ x }) => x)), ...marks.map(({ x }) => x)])].sort((a, b) => a - b);
  const lines = series.map(({ name, look, points }) => ({
    label: name,
    data: along(xs, points),
    color: COLOURS[look],
    showMark: false,
    curve: 'linear' as const,
    connectNulls: true,
    id: `${look} ${name}`,
  }));
  const dots = marks.map((mark) => ({ label: mark.name, data: xs.map((x) => (x === mark.x ? mark.y : null)), color: COLOURS.plain, showMark: true, id: `mark ${mark.name}` }));
  const dashes = Object.fromEntries(lines.filter(({ id }) => id.startsWith('dashed')).map(({ id }) => [`& [data-series="${id}"]`, { strokeDasharray: '5 4' }]));
  return (
    <XLineChart
      height={CHART_HEIGHT}
      skipAnimation
      xAxis={[{ data: xs, label: xName, min: xRange?.[0], max: xRange?.[1], scaleType: 'linear' }]}
      yAxis={[{ label: yName, min: yRange?.[0], max: yRange?.[1], width: 52 }]}
      series={[...lines, ...dots]}
      grid={{ horizontal: true }}
      margin={{ left: 4, right: 12, top: 12, bottom: 4 }}
      sx={dashes}
    />
  );
}

/** The series at each x of the axis; null where it has no point. */
function along(xs: number[], points: Array<{ x: number; y: number }>): Array<number | null> {
  const known = new Map(points.map(({ x, y }) => [x, y]));
  return xs.map((x) => known.get(x) ?? null);
}
