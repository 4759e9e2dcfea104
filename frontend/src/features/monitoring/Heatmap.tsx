import { useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';

import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { cellName, LEGEND, lookOf, moved, written, type Position } from './cells';

type Row = Schemas['HeatmapRow'];

interface Props {
  heatmap: Schemas['Heatmap'];
  title: string;
  /** The cell that the screen tells more about. */
  chosen: { feature: string; day: string } | undefined;
  onChoose: (feature: string, day: string) => void;
}

/** Every how many days one is named under the columns. */
const NAMED = 5;

/** Features by days. Arrows, Home and End move, Enter and Space choose. */
export function Heatmap({ heatmap, title, chosen, onChoose }: Props) {
  const { days, rows } = heatmap;
  const body = useRef<HTMLTableSectionElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Position>();
  const start = { row: Math.max(0, rows.findIndex(({ feature }) => feature === chosen?.feature)), column: Math.max(0, chosen ? days.indexOf(chosen.day) : days.length - 1) };
  const at = place && place.row < rows.length && place.column < days.length ? place : start;
  // What is new is at the right end.
  useLayoutEffect(() => {
    if (frame.current) frame.current.scrollLeft = frame.current.scrollWidth;
  }, [days.length]);

  const keys = (event: KeyboardEvent, row: Row, day: string) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = moved(at, event.key, rows.length, days.length);
    if (to) {
      setPlace(to);
      body.current?.rows[to.row]?.querySelectorAll<HTMLElement>('[role=gridcell]')[to.column]?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      onChoose(row.feature, day);
    } else return;
    event.preventDefault();
  };
  return (
    <Card title={title} aside={<Legend />}>
      <div className="heat-frame" ref={frame}>
        <table className="heat" role="grid" aria-label={`${title}: arrows move, Enter shows more`}>
          <thead>
            <tr>
              <th scope="col">
                <span className="visually-hidden">Feature</span>
              </th>
              {days.map((day, index) => (
                <th scope="col" key={day}>
                  <span className={(days.length - 1 - index) % NAMED ? 'visually-hidden' : 'heat-day'}>{day.slice(5)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body}>
            {rows.map((row, line) => (
              <tr key={row.feature}>
                <th scope="row">{row.feature}</th>
                {row.cells.map((cell, column) => {
                  const day = days[column]!;
                  const isChosen = chosen?.feature === row.feature && chosen.day === day;
                  const name = cellName(row.feature, day, cell);
                  return (
                    <td
                      key={day}
                      role="gridcell"
                      className={`heat-${lookOf(cell)}`}
                      tabIndex={at.row === line && at.column === column ? 0 : -1}
                      aria-label={name}
                      aria-selected={isChosen}
                      title={name}
                      onClick={() => onChoose(row.feature, day)}
                      onFocus={() => setPlace({ row: line, column })}
                      onKeyDown={(event) => keys(event, row, day)}
                    >
                      {written(cell)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Legend() {
  return (
    <ul className="heat-legend meta">
      {LEGEND.map(({ look, words }) => (
        <li key={look}>
          <span className={`heat-key heat-${look}`} />
          {words}
        </li>
      ))}
    </ul>
  );
}
