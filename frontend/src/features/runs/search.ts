/** What links to runs may carry. */
import type { Schemas } from '../../api/client';

export const STATES: Schemas['RunState'][] = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'];
const LEVELS = ['WARN', 'ERROR'] as const;

export interface RunsSearch {
  state?: Schemas['RunState'];
  dataset?: string;
  /** Oldest first; newest first when absent. */
  sort?: 'started_at';
  cursor?: string;
  /** The runs that are chosen to be compared: `a,b`. */
  chosen?: string;
}

export interface RunSearch {
  /** A step's key: its name, and its branch where it has several. */
  step?: string;
  level?: 'WARN' | 'ERROR';
  find?: string;
  line?: number;
}

export interface NewRunSearch {
  dataset?: string;
  version?: number;
}

export function readRunsSearch(search: Record<string, unknown>): RunsSearch {
  return { state: STATES.find((state) => state === search.state), dataset: text(search.dataset), sort: search.sort === 'started_at' ? 'started_at' : undefined, cursor: text(search.cursor), chosen: text(search.chosen) };
}

export function readRunSearch(search: Record<string, unknown>): RunSearch {
  return { step: text(search.step), level: LEVELS.find((level) => level === search.level), find: text(search.find), line: positive(search.line) };
}

export function readNewRunSearch(search: Record<string, unknown>): NewRunSearch {
  return { dataset: text(search.dataset), version: positive(search.version) };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function positive(value: unknown): number | undefined {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}
