import type { ReactNode } from 'react';

interface Props {
  name: string;
  value: ReactNode;
  note?: ReactNode;
  children?: ReactNode;
}

/** One figure: its name, the figure, a chart or nothing, and what to make of it. */
export function Tile({ name, value, note, children }: Props) {
  return (
    <div className="card tile" role="group" aria-label={name}>
      <div className="quiet">{name}</div>
      <div className="figure">{value}</div>
      {children}
      {note && <div className="meta">{note}</div>}
    </div>
  );
}
