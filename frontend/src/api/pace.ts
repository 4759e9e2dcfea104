/** How often an answer is asked for again: the server sets the pace, errors slow it down. */
import type { QueryState } from '@tanstack/react-query';

import { ApiError, isSignedOut, type Answer } from './client';

const SLOWEST_MS = 60_000;
const SOONEST_AFTER_ERROR_MS = 2_000;

type Seen = Pick<QueryState<unknown, unknown>, 'data' | 'dataUpdatedAt' | 'error' | 'errorUpdatedAt' | 'errorUpdateCount'>;

/**
 * Milliseconds until the next request, or false for none. `usual` seconds count where the server says nothing; null is never.
 * While requests fail, the wait is as long as they have failed already: it doubles, up to a minute.
 */
export function nextAfter(usual: number | null, seen: Seen): number | false {
  if (isGone(seen.error)) return false;
  const pace = (seen.data as Answer<unknown> | undefined)?.pollAfter ?? usual;
  if (!seen.error) return pace === null ? false : pace * 1000;
  const failing = seen.dataUpdatedAt ? seen.errorUpdatedAt - seen.dataUpdatedAt : 1000 * 2 ** seen.errorUpdateCount;
  return Math.min(SLOWEST_MS, Math.max(SOONEST_AFTER_ERROR_MS, failing));
}

/** Query options of everything that is shown live. `usual` is in seconds. */
export function live(usual: number | null) {
  return {
    refetchInterval: (query: { state: unknown }) => nextAfter(usual, query.state as Seen),
    refetchIntervalInBackground: false,
    refetchOnWindowFocus: 'always',
  } as const;
}

/** What asking again does not change: it is not there, not allowed, or nobody is signed in. */
export function isGone(error: unknown): boolean {
  return isSignedOut(error) || (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429);
}
