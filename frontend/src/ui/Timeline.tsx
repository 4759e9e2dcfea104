import { duration } from './format';
import { statusLook, type StatusKind } from './Status';
import './timeline.css';

export interface Span {
  id: string;
  name: string;
  status: StatusKind;
  /** Null: not begun. */
  start: string | null;
  /** Null: not ended. */
  end: string | null;
}

interface Props {
  label: string;
  spans: Span[];
  now: Date;
  selected?: string;
  onSelect?: (id: string | undefined) => void;
}

/** When each step ran, against the whole: a bar a row. */
export function Timeline({ label, spans, now, selected, onSelect }: Props) {
  const bars = barsOf(spans, now);
  return (
    <ul className="timeline" aria-label={label}>
      {spans.map((span, index) => {
        const { left, width, seconds } = bars[index]!;
        const chosen = selected === span.id;
        return (
          <li key={span.id}>
            <button type="button" aria-pressed={chosen} onClick={() => onSelect?.(chosen ? undefined : span.id)}>
              <span className="timeline-name">{span.name}</span>
              <span className="meta">{seconds === null ? '' : duration(seconds)}</span>
              <span className="timeline-track">{seconds !== null && <span className={statusLook(span.status)} style={{ left: `${left}%`, width: `${width}%` }} />}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

interface Bar {
  left: number;
  width: number;
  seconds: number | null;
}

/** Places in per cent of the time from the first start to the last end, or to now while something runs. */
export function barsOf(spans: Span[], now: Date): Bar[] {
  const times = spans.map(({ start, end }) => (start === null ? null : [Date.parse(start), end === null ? now.getTime() : Date.parse(end)] as const));
  const known = times.filter((each) => each !== null);
  const first = Math.min(...known.map(([start]) => start));
  const whole = Math.max(1, Math.max(...known.map(([, end]) => end)) - first);
  return times.map((time) => {
    if (time === null) return { left: 0, width: 0, seconds: null };
    const [start, end] = time;
    return { left: ((start - first) / whole) * 100, width: Math.max(0.8, ((end - start) / whole) * 100), seconds: Math.max(0, end - start) / 1000 };
  });
}
