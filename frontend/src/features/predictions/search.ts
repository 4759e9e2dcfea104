/** What links to predictions may carry. */

export interface PredictionsSearch {
  model?: string;
  cursor?: string;
}

export function readPredictionsSearch(search: Record<string, unknown>): PredictionsSearch {
  return { model: text(search.model), cursor: text(search.cursor) };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
