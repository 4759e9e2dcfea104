import { useEffect } from 'react';

/** Show in the tab how the thing on this screen is doing; the plain icon comes back on leaving. */
export function useFavicon(state: 'running' | 'succeeded' | 'failed' | null): void {
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel=icon]');
    if (!link || !state) return;
    link.href = `/favicon-${state}.svg`;
    return () => {
      link.href = '/favicon.svg';
    };
  }, [state]);
}
