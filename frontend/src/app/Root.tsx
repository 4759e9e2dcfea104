import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { ThemeProvider } from '@mui/material/styles';

import { isSignedOut } from '../api/client';
import { isGone } from '../api/pace';
import { goToSignIn } from './goToSignIn';
import { MODE_KEY, theme } from './theme';

const client = new QueryClient({
  // A session that has ended meanwhile: sign in, and come back to the same address.
  queryCache: new QueryCache({ onError: (error) => void (isSignedOut(error) && goToSignIn()) }),
  defaultOptions: {
    queries: { staleTime: 2_000, gcTime: 10 * 60_000, retry: (failures, error) => failures < 1 && !isGone(error), retryDelay: 800 },
    mutations: { retry: false },
  },
});

export function Root() {
  return (
    <ThemeProvider theme={theme} defaultMode="system" modeStorageKey={MODE_KEY}>
      <QueryClientProvider client={client}>
        <Outlet />
      </QueryClientProvider>
    </ThemeProvider>
  );
}
