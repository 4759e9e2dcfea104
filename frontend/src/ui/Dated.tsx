import { type ReactNode } from 'react';

/** A day as the platform writes it, with its time of day where that is joined to it. */
const DATE = /(?<![\w-])(\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)(?![\w-])/;

/** A sentence whose dates stay whole where a line ends: `2026-11-29` would break at its hyphens. */
export function Dated({ children: text }: { children: string }): ReactNode {
  // `split` keeps what it split at: every second part is a date.
  return text.split(DATE).map((part, index) => (index % 2 ? <time key={index} dateTime={part}>{part}</time> : part));
}
