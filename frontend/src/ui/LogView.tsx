import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';

import { count } from './format';
import { filterLines, windowOf, type Line } from './logLines';
import { Button } from './Button';
import './log.css';

interface Props {
  lines: Line[];
  /** Filters stand in the URL, so that a link shows the same lines. */
  level?: 'WARN' | 'ERROR';
  find?: string;
  onFilter: (change: { level?: 'WARN' | 'ERROR'; find?: string }) => void;
  /** The line to land on, by its number. */
  line?: number;
  /** Lines still come: Follow is offered. */
  live: boolean;
  note?: ReactNode;
}

const LINE = 20;
const LEVELS = ['WARN', 'ERROR'] as const;

/** A log of any length: only the lines in sight are in the document. Scrolling up ends Follow; pressing it returns to the end. */
export function LogView({ lines, level, find = '', onFilter, line, live, note }: Props) {
  const shown = useMemo(() => filterLines(lines, { level, find }), [lines, level, find]);
  const [scroll, setScroll] = useState({ top: 0, height: 480 });
  const [follow, setFollow] = useState(line === undefined);
  const view = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const box = view.current;
    if (box && follow) box.scrollTop = box.scrollHeight;
  }, [shown, follow]);
  const at = line === undefined ? -1 : shown.findIndex((each) => each.number === line);
  useEffect(() => {
    const box = view.current;
    if (!box || at < 0) return;
    setFollow(false);
    box.scrollTop = Math.max(0, at * LINE - box.clientHeight / 2);
    // The log may lie below what is in sight of the page.
    box.scrollIntoView({ block: 'nearest' });
    // Only when another line is asked for, or it has come: new lines do not pull the reader back.
  }, [line, at >= 0]);

  const onScroll = () => {
    const box = view.current!;
    setScroll({ top: box.scrollTop, height: box.clientHeight });
    if (box.scrollTop + box.clientHeight < box.scrollHeight - LINE) setFollow(false);
  };
  const { first, last } = windowOf(scroll.top, scroll.height, LINE, shown.length);
  return (
    <section className="card log" aria-label="Log">
      <header>
        <h2>Log</h2>
        <span className="meta">
          {shown.length === lines.length ? count(lines.length, 'line') : `${count(shown.length, 'line')} of ${count(lines.length, 'line')}`} {note}
        </span>
        <span className="row">
          <input className="field" type="search" aria-label="Find in the log" placeholder="Find…" defaultValue={find} onChange={(event) => onFilter({ level, find: event.target.value || undefined })} data-filter />
          {LEVELS.map((each) => (
            <Button key={each} aria-pressed={level === each} onClick={() => onFilter({ level: level === each ? undefined : each, find: find || undefined })}>
              {each}
            </Button>
          ))}
          {live && (
            <Button aria-pressed={follow} onClick={() => setFollow(true)}>
              Follow
            </Button>
          )}
        </span>
      </header>
      <div className="log-lines" ref={view} onScroll={onScroll} tabIndex={0} role="log" aria-label="Lines" aria-live="off">
        <div style={{ height: shown.length * LINE }}>
          <div style={{ transform: `translateY(${first * LINE}px)` }}>
            {shown.slice(first, last).map((each) => (
              <div key={each.number} className={`log-line ${each.level ?? ''} ${each.number === line ? 'asked' : ''}`}>
                <span className="log-number">{each.number}</span>
                <span className="log-time">{each.at.slice(11, 23)}</span>
                <span className="log-source">{each.source}</span>
                <span>{each.text}</span>
              </div>
            ))}
          </div>
        </div>
      </div>
    </section>
  );
}
