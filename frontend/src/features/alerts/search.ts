/** What links to alerts may carry. */
import type { Schemas } from '../../api/client';

export const STATES: Schemas['AlertState'][] = ['OPEN', 'ACKNOWLEDGED', 'SNOOZED', 'CLOSED'];

export interface AlertsSearch {
  state?: Schemas['AlertState'];
  model?: string;
  cursor?: string;
}

export function readAlertsSearch(search: Record<string, unknown>): AlertsSearch {
  return { state: STATES.find((state) => state === search.state), model: text(search.model), cursor: text(search.cursor) };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
