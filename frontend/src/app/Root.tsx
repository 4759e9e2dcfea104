import { QueryClientProvider } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { ThemeProvider } from '@mui/material/styles';

import { client } from './queryClient';
import { MODE_KEY, theme } from './theme';

export function Root() {
  return (
    <ThemeProvider theme={theme} defaultMode="system" modeStorageKey={MODE_KEY}>
      <QueryClientProvider client={client}>
        <Outlet />
      </QueryClientProvider>
    </ThemeProvider>
  );
}
