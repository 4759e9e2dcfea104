/** What links to datasets may carry. */

export interface ListSearch {
  /** The last name first; the first one when absent. */
  sort?: '-name';
  cursor?: string;
}

export interface DatasetSearch {
  /** Where its versions go on. */
  cursor?: string;
}

export interface DatasetVersionSearch {
  /** The other version that this one is held against. */
  against?: number;
  /** Where the rows that were set aside go on. */
  cursor?: string;
}

export function readListSearch(search: Record<string, unknown>): ListSearch {
  return { sort: search.sort === '-name' ? '-name' : undefined, cursor: text(search.cursor) };
}

export function readDatasetSearch(search: Record<string, unknown>): DatasetSearch {
  return { cursor: text(search.cursor) };
}

export function readDatasetVersionSearch(search: Record<string, unknown>): DatasetVersionSearch {
  return { against: positive(search.against), cursor: text(search.cursor) };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function positive(value: unknown): number | undefined {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}
