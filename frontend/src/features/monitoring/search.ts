/** What links to monitoring may carry. */
import type { Schemas } from '../../api/client';

export const RANGES = [7, 14, 30, 90] as const;
export const KINDS: Schemas['DriftKind'][] = ['data', 'prediction', 'performance'];

export interface MonitoringSearch {
  /** The first model when absent. */
  model?: string;
  /** How many days, today included; 30 when absent. */
  range?: number;
  kind?: Schemas['DriftKind'];
  /** The worst one when absent. */
  feature?: string;
  /** The day of the chosen cell; the last one that there is a report about when absent. */
  day?: string;
}

export function readMonitoringSearch(search: Record<string, unknown>): MonitoringSearch {
  return {
    model: text(search.model),
    range: RANGES.find((range) => range === Number(search.range)),
    kind: KINDS.find((kind) => kind === search.kind),
    feature: text(search.feature),
    day: /^\d{4}-\d{2}-\d{2}$/.test(text(search.day) ?? '') ? text(search.day) : undefined,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
