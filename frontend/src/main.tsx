import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

// First, so that what a part says of itself counts more.
import './ui/tokens.css';
import './ui/base.css';
import './ui/parts.css';
import { router } from './app/routes';

const RELOADED = 'millrace.reloaded';

// After a deploy, an open tab asks for a chunk that the new build may not have: the address as it is now loads the new build.
window.addEventListener('vite:preloadError', (event) => {
  if (Date.now() - Number(sessionStorage.getItem(RELOADED)) < 10_000) return;
  event.preventDefault();
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
});

// Its file is asked for now, and not by the first text that is drawn: no text changes its width when it comes.
void document.fonts.load('1em "Inter Variable"');

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <RouterProvider router={router} />
  </StrictMode>,
);
