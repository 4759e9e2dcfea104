import { useState, type ReactNode } from 'react';

import { Button } from '../Button';
import { Card } from '../Card';
import '../charts/chart.css';

interface Props {
  title: string;
  /** What the chart says, in a sentence: the name of the drawing. */
  summary: string;
  /** The figures behind it. */
  table: { head: string[]; rows: Array<Array<string | number>> };
  children: ReactNode;
}

/** A chart with its name, a summary for those who do not see it, and its figures on demand. */
export function ChartFrame({ title, summary, table, children }: Props) {
  const [asTable, setAsTable] = useState(false);
  return (
    <Card
      title={title}
      aside={
        <Button look="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)} aria-label={`${title}: show as ${asTable ? 'chart' : 'table'}`}>
          Show as {asTable ? 'chart' : 'table'}
        </Button>
      }
    >
      {asTable ? <Figures {...table} label={title} /> : <div role="img" aria-label={summary}>{children}</div>}
    </Card>
  );
}

function Figures({ head, rows, label }: { head: string[]; rows: Array<Array<string | number>>; label: string }) {
  return (
    <div className="chart-figures" tabIndex={0} role="group" aria-label={`${label}, as a table`}>
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
