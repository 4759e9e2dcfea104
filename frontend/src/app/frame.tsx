/** What draws: React's renderer, the theme, the frame around the screens. In one chunk, which the page itself asks for (vite.config.ts). */
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { ThemeProvider } from '@mui/material/styles';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { NotFound, ScreenError } from './ErrorPages';
import { client } from './queryClient';
import type { router as routes } from './routes';
import { MODE_KEY, theme } from './theme';

export { Callback } from './Callback';
export { Nowhere } from './ErrorPages';
export { SignedIn } from './SignedIn';

export function mount(router: typeof routes): void {
  // Its file is asked for now, and not by the first text that is drawn: no text changes its width when it comes.
  void document.fonts.load('1em "Inter Variable"');
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <ThemeProvider theme={theme} defaultMode="system" modeStorageKey={MODE_KEY}>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} defaultErrorComponent={ScreenError} defaultNotFoundComponent={NotFound} />
        </QueryClientProvider>
      </ThemeProvider>
    </StrictMode>,
  );
}
