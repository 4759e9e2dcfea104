/** The server's curves as lines to draw, and what a threshold means on them. */
import type { Schemas } from '../../api/client';
import type { Series } from '../../ui/charts/LineChart';

type Answer = Pick<Schemas['EvaluationAnswer'], 'id' | 'curves'>;
type Point = Record<string, number | null>;

export interface Axes {
  title: string;
  x: string;
  y: string;
  xName: string;
  yName: string;
  /** What the diagonal is, where it means something. */
  reference?: string;
}

export const CURVES = {
  roc: { title: 'ROC', x: 'false_positive_rate', y: 'true_positive_rate', xName: 'False positive rate', yName: 'True positive rate', reference: 'guessing' },
  precision_recall: { title: 'Precision and recall', x: 'recall', y: 'precision', xName: 'Recall', yName: 'Precision' },
  calibration: { title: 'Calibration', x: 'predicted', y: 'observed', xName: 'Predicted', yName: 'Observed' },
} satisfies Record<string, Axes>;

export type CurveName = keyof typeof CURVES;

export function seriesOf(answer: Answer, name: CurveName, look: Series['look']): Series[] {
  const { x, y } = CURVES[name];
  const curves = answer.curves[name] ?? [];
  return curves.map(({ class_name, points }, index) => ({
    name: curves.length > 1 ? `${class_name} (${answer.id})` : answer.id,
    look,
    // With several classes the colour says which class, and the dashes which version.
    hue: curves.length > 1 ? index : undefined,
    points: points.map((point) => ({ x: point[x] ?? 0, y: point[y] ?? 0 })),
  }));
}

/** The point of a curve whose threshold is nearest. */
export function nearest(points: Point[], threshold: number): Point | undefined {
  const known = points.filter((point) => point.threshold != null);
  return known.reduce<Point | undefined>((best, point) => (best && Math.abs(best.threshold! - threshold) <= Math.abs(point.threshold! - threshold) ? best : point), undefined);
}

/** Rows by true (down) and predicted (across) class at a point of the ROC: its shares of the negatives and the positives. */
export function confusionAt(point: Point, totals: { negative: number; positive: number }): number[][] {
  const falsePositive = Math.round((point.false_positive_rate ?? 0) * totals.negative);
  const truePositive = Math.round((point.true_positive_rate ?? 0) * totals.positive);
  return [
    [totals.negative - falsePositive, falsePositive],
    [totals.positive - truePositive, truePositive],
  ];
}
