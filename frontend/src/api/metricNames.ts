/** Metrics as people name them. */
const NAMES: Record<string, string> = {
  roc_auc: 'AUC',
  average_precision: 'Average precision',
  log_loss: 'Log loss',
  f1: 'F1',
  macro_f1: 'Macro F1',
  accuracy: 'Accuracy',
  balanced_accuracy: 'Balanced accuracy',
  brier: 'Brier score',
  calibration_error: 'Calibration error',
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
