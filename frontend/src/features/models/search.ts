/** What links to models may carry. */
export interface ModelsSearch {
  /** The last name first; the first one when absent. */
  sort?: '-name';
  cursor?: string;
}

export interface VersionSearch {
  /** The threshold that the confusion is shown at; the model's own when absent. */
  threshold?: number;
}

export interface ModelSearch {
  /** The versions that are chosen to be compared: `churn:7,churn:8`. */
  chosen?: string;
}

export interface CompareSearch {
  /** Versions or runs, `a,b`, in the order of the columns; the first is what the others are held against. */
  ids: string;
  /** False: rows that are the same in every column are shown, too. */
  diff?: false;
  /** The class whose curves are drawn, where there are several. */
  of?: string;
}

export function readModelSearch(search: Record<string, unknown>): ModelSearch {
  return { chosen: typeof search.chosen === 'string' && search.chosen !== '' ? search.chosen : undefined };
}

export function readCompareSearch(search: Record<string, unknown>): CompareSearch {
  return { ids: typeof search.ids === 'string' ? search.ids : '', diff: search.diff === false || search.diff === 0 ? false : undefined, of: typeof search.of === 'string' ? search.of : undefined };
}

export function readModelsSearch(search: Record<string, unknown>): ModelsSearch {
  return { sort: search.sort === '-name' ? '-name' : undefined, cursor: typeof search.cursor === 'string' && search.cursor !== '' ? search.cursor : undefined };
}

export function readVersionSearch(search: Record<string, unknown>): VersionSearch {
  const threshold = Number(search.threshold);
  return { threshold: search.threshold !== undefined && threshold >= 0 && threshold <= 1 ? threshold : undefined };
}
