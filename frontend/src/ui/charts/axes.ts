/** The arithmetic of a drawing with two axes. */
export interface Scale {
  low: number;
  high: number;
  ticks: number[];
  /** From a figure to pixels. */
  at: (value: number) => number;
}

const STEPS = [1, 2, 2.5, 5, 10];

/** Round figures that cover `low` to `high`: about `wanted` of them, evenly spaced. */
export function ticksOf(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (STEPS.find((each) => each * power >= rough * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** An axis from `from` to `to` pixels. A range that is given is kept; a found one is rounded outwards to its ticks' step. */
export function scaleOf(values: number[], given: [number, number] | undefined, from: number, to: number, wanted: number): Scale {
  const found: [number, number] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const [low, high] = given ?? (found[0] === found[1] ? [found[0] - 0.5, found[1] + 0.5] : found);
  return { low, high, ticks: ticksOf(low, high, wanted), at: (value) => from + ((value - low) / (high - low)) * (to - from) };
}

export interface Point {
  x: number;
  y: number;
}

/** The line through points, at a tenth of a pixel. */
export function pathOf(points: Point[], x: Scale, y: Scale): string {
  return points.map((point, index) => `${index ? 'L' : 'M'}${x.at(point.x).toFixed(1)} ${y.at(point.y).toFixed(1)}`).join('');
}

/** The point of a line that is nearest to an x. */
export function nearestTo(points: Point[], x: number): Point | undefined {
  return points.reduce<Point | undefined>((best, point) => (best && Math.abs(best.x - x) <= Math.abs(point.x - x) ? best : point), undefined);
}
