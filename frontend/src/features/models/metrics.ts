/** Metrics as people name them. */
import { figure } from '../../ui/format';

const NAMES: Record<string, string> = {
  roc_auc: 'AUC',
  average_precision: 'Average precision',
  log_loss: 'Log loss',
  f1: 'F1',
  macro_f1: 'Macro F1',
  accuracy: 'Accuracy',
  balanced_accuracy: 'Balanced accuracy',
  brier: 'Brier score',
  precision: 'Precision',
  recall: 'Recall',
  rmse: 'RMSE',
  mae: 'MAE',
  r2: 'R²',
};

/** The field's short name where there is one, else the platform's name with spaces. */
export function metricName(metric: string): string {
  return NAMES[metric] ?? metric.replaceAll('_', ' ');
}

export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** `0.8312 (0.79 to 0.86)`: never a figure without its uncertainty. */
export function withInterval({ value, low, high }: Interval): string {
  return `${figure(value)} (${figure(low)} to ${figure(high)})`;
}

export function placeOf(id: string): { model: string; number: string } {
  const [model = '', number = ''] = id.split(':');
  return { model, number };
}
