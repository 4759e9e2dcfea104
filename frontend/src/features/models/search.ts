/** What links to models may carry. */
export interface ModelsSearch {
  cursor?: string;
}

export interface VersionSearch {
  /** The threshold that the confusion is shown at; the model's own when absent. */
  threshold?: number;
}

export function readModelsSearch(search: Record<string, unknown>): ModelsSearch {
  return { cursor: typeof search.cursor === 'string' && search.cursor !== '' ? search.cursor : undefined };
}

export function readVersionSearch(search: Record<string, unknown>): VersionSearch {
  const threshold = Number(search.threshold);
  return { threshold: search.threshold !== undefined && threshold >= 0 && threshold <= 1 ? threshold : undefined };
}
