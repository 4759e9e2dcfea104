import { useEffect, useRef } from 'react';

import { PLACES, type Place } from './places';

interface Acts {
  openPalette: () => void;
  openSheet: () => void;
  go: (place: Place) => void;
}

const CHORD_MS = 1200;

/** Keys that work everywhere. Single keys are only for who is not typing, and not while something is open. */
export function useShortcuts(acts: Acts): void {
  const latest = useRef(acts);
  useEffect(() => {
    latest.current = acts;
  });
  useEffect(() => {
    let chordUntil = 0;
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        latest.current.openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector('[role=dialog],[role=menu]')) return;
      const place = Date.now() < chordUntil && PLACES.find((each) => each.key === event.key);
      chordUntil = event.key === 'g' ? Date.now() + CHORD_MS : 0;
      if (place) latest.current.go(place);
      else if (event.key === '?') latest.current.openSheet();
      else if (!moveInTable(event.key)) return;
      event.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || (target.matches('input, textarea, select') && !target.matches('[type=checkbox], [type=radio]')));
}

/** j and k move from row to row of the first table, x selects its row, / goes to the filter. Whether the key meant something. */
function moveInTable(key: string): boolean {
  if (key === '/') {
    const filter = document.querySelector<HTMLElement>('main [data-filter]');
    filter?.focus();
    return filter !== null;
  }
  const rows = [...document.querySelectorAll<HTMLElement>('main table tbody tr')].filter((row) => row.querySelector('a[href]'));
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  if (key === 'j' || key === 'k') {
    const next = rows[key === 'j' ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0)];
    next?.querySelector<HTMLElement>('a[href]')?.focus();
    return next !== undefined;
  }
  const box = key === 'x' ? rows[at]?.querySelector<HTMLElement>('input[type=checkbox]') : null;
  box?.click();
  return Boolean(box);
}
