/** Lists whose first page came with their screen. */
import type { Answer } from './client';

interface Loadable<T> {
  data: T | undefined;
  error: Error | null;
  isFetching: boolean;
  refetch: () => unknown;
}

/** The page that a cursor of the address names, and the first until it is there. */
export function pageOf<T>(first: T, later: Loadable<Answer<T>>, cursor: string | undefined): Loadable<T> {
  if (!cursor) return { data: first, error: null, isFetching: false, refetch: () => undefined };
  return { ...later, data: later.data?.body ?? (later.error ? undefined : first) };
}
