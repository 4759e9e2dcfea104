import type { Schemas } from '../../api/client';

/** Rows by true (down) and predicted (across) class; without a threshold where there are several classes. */
export interface Matrix {
  threshold: number | null;
  rows: number[][];
}

export function matricesOf(evaluation: Schemas['EvaluationAnswer']): Matrix[] {
  return (evaluation.confusion as { matrices?: Matrix[] }).matrices ?? [];
}

export function classesOf(evaluation: Schemas['EvaluationAnswer']): string[] {
  return ((evaluation.confusion as { classes?: unknown[] }).classes ?? []).map(String);
}
