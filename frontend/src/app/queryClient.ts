/** What the server said, and when it is asked again. */
import { QueryCache, QueryClient, type FetchQueryOptions } from '@tanstack/react-query';

import { isSignedOut } from '../api/client';
import { isGone } from '../api/pace';
import { tokens } from '../auth/session';
import { goToSignIn } from './goToSignIn';

export const client = new QueryClient({
  // A session that has ended meanwhile: sign in, and come back to the same address.
  queryCache: new QueryCache({ onError: (error) => void (isSignedOut(error) && goToSignIn()) }),
  defaultOptions: {
    queries: { staleTime: 5_000, gcTime: 10 * 60_000, retry: (failures, error) => failures < 1 && !isGone(error), retryDelay: 800 },
    mutations: { retry: false },
  },
});

/** A screen's question is asked once its address is known, while its code is still on the way; not for a link that is only pointed at. */
export function early<T, K extends readonly unknown[]>(cause: string, query: FetchQueryOptions<T, Error, T, K>): void {
  if (cause === 'enter' && tokens() !== null) void client.prefetchQuery(query);
}
