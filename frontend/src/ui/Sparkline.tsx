interface Props {
  values: number[];
  /** What the line says, in a sentence: the only thing that a screen reader hears. */
  label: string;
  height?: number;
  /** For amounts: the line stands on zero. */
  fromZero?: boolean;
}

const WIDTH = 240;
const MARGIN = 2;

/** A line without axes, as wide as its place. Fewer than two values draw nothing, and keep the height. */
export function Sparkline({ values, label, height = 28, fromZero = false }: Props) {
  const line = linePath(values, WIDTH, height, fromZero);
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${height}`} height={height} preserveAspectRatio="none" role="img" aria-label={label}>
      {line && <path d={`${line}L${WIDTH} ${height}L0 ${height}Z`} fill="var(--series-ground)" />}
      {line && <path d={line} fill="none" stroke="var(--series-1)" strokeWidth={1.5} strokeLinejoin="round" />}
    </svg>
  );
}

/** The path through `values`, scaled to the box; a constant series runs along its middle, or on zero. */
export function linePath(values: number[], width: number, height: number, fromZero = false): string {
  if (values.length < 2) return '';
  const low = Math.min(...values, ...(fromZero ? [0] : []));
  const span = Math.max(...values) - low;
  const y = (value: number) => (span === 0 ? (fromZero ? height - MARGIN : height / 2) : height - MARGIN - ((value - low) / span) * (height - 2 * MARGIN));
  const x = (index: number) => (index / (values.length - 1)) * width;
  return values.map((value, index) => `${index ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join('');
}
