/** Numbers, sizes and times as people read them. Absent figures are a dash. */
const DASH = '–';
const LOCALE = 'en';

// A formatter takes far longer to make than to use: each is made once, when it is needed first.
const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();

/** A negative number that rounds to zero is zero: no `-0.00`. */
function decimals(fewest: number, most: number): Intl.NumberFormat {
  return kept(numbers, `${fewest} ${most}`, () => new Intl.NumberFormat(LOCALE, { minimumFractionDigits: fewest, maximumFractionDigits: most, signDisplay: 'negative' }));
}

function kept<T>(made: Map<string, T>, name: string, make: () => T): T {
  const found = made.get(name) ?? make();
  made.set(name, found);
  return found;
}

export function whole(value: number | null | undefined): string {
  return value == null ? DASH : decimals(0, 0).format(value);
}

/** 4 decimals for shares and scores, fewer for large values, so that columns stay comparable. */
export function figure(value: number | null | undefined, digits?: number): string {
  if (value == null || !Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  const most = digits ?? (size >= 1000 ? 0 : size >= 10 ? 2 : 4);
  return decimals(Math.min(most, 2), most).format(value);
}

/** `+0.0124` or `−0.0124`; zero has no sign. */
export function signed(value: number, digits = 4): string {
  const text = figure(Math.abs(value), digits);
  if (Number(Math.abs(value).toFixed(digits)) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

/** A share of one as per cent: 0.0412 → `4.1 %`. */
export function percent(share: number | null | undefined, digits = 1): string {
  return share == null ? DASH : `${(share * 100).toFixed(digits)} %`;
}

/** Dollars; under ten cents with as many digits as are needed to see something. */
export function money(usd: number | null | undefined): string {
  if (usd == null) return DASH;
  const digits = usd === 0 || usd >= 0.1 ? 2 : usd >= 0.001 ? 4 : 6;
  return `$${decimals(2, digits).format(usd)}`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export function bytes(size: number | null | undefined): string {
  if (size == null) return DASH;
  const power = size < 1 ? 0 : Math.min(Math.floor(Math.log10(size) / 3), BYTE_UNITS.length - 1);
  const value = size / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${BYTE_UNITS[power]}`;
}

/** Seconds as `0.4 s`, `40 s`, `4 min 13 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null) return DASH;
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  if (total < 86_400) return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
  return `${Math.floor(total / 86_400)} d ${Math.floor((total % 86_400) / 3600)} h`;
}

/** `just now`, `12 s ago`, `5 min ago`, `2 h ago`, `yesterday`, `6 d ago`, then the date. */
export function ago(at: string | Date, now = new Date()): string {
  const then = new Date(at);
  const seconds = Math.max(0, (now.getTime() - then.getTime()) / 1000);
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  if (days === 1) return 'yesterday';
  return days < 14 ? `${days} d ago` : day(then);
}

export function day(at: string | Date): string {
  return kept(dates, 'day', () => new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' })).format(new Date(at));
}

/** The exact moment, in the reader's time zone. */
export function moment(at: string | Date): string {
  return kept(dates, 'moment', () => new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'long' })).format(new Date(at));
}

/** A date or a timestamp of a profile, in seconds since 1970 UTC, as a file would have it: `2013-01-09`, `2013-01-09T13:00:00Z`. */
export function written(kind: 'date' | 'timestamp', seconds: number): string {
  const text = new Date(seconds * 1000).toISOString();
  return kind === 'date' ? text.slice(0, 10) : `${text.slice(0, 19)}Z`;
}

/** `1 row`, `2 rows`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${whole(value)} ${value === 1 ? one : many}`;
}
