/** The lines of a log: what they are, which are wanted, which are in sight. */
export interface Line {
  number: number;
  /** ISO 8601. */
  at: string;
  source: string;
  text: string;
  level?: 'WARN' | 'ERROR';
}

export const MOST_LINES = 20_000;
const BEYOND = 10;

/** What jobs say of themselves: the level is a word near the start of the line. */
export function levelOf(text: string): Line['level'] {
  const head = text.slice(0, 80);
  if (/\b(ERROR|CRITICAL|FATAL|Traceback|Exception)\b/.test(head) || /\b\w+Error:/.test(head)) return 'ERROR';
  return /\bWARN(ING)?\b/.test(head) ? 'WARN' : undefined;
}

/** WARN shows errors too. */
export function filterLines(lines: Line[], { level, find }: { level?: Line['level']; find?: string }): Line[] {
  const wanted = find?.toLowerCase();
  if (!level && !wanted) return lines;
  return lines.filter((line) => (!level || line.level === 'ERROR' || line.level === level) && (!wanted || line.text.toLowerCase().includes(wanted)));
}

/** The lines to draw: those in sight and a few beyond, in [first, last). */
export function windowOf(top: number, height: number, lineHeight: number, total: number): { first: number; last: number } {
  const first = Math.max(0, Math.min(Math.floor(top / lineHeight) - BEYOND, total - 1));
  return { first, last: Math.min(total, Math.ceil((top + height) / lineHeight) + BEYOND) };
}

/** `lines` with `more` at the end, numbered on; the oldest go beyond 20,000. */
export function appended(lines: Line[], more: Omit<Line, 'number' | 'level'>[]): Line[] {
  if (!more.length) return lines;
  const last = lines.at(-1)?.number ?? 0;
  const numbered = more.map((line, index) => ({ ...line, number: last + index + 1, level: levelOf(line.text) }));
  return [...lines, ...numbered].slice(-MOST_LINES);
}
