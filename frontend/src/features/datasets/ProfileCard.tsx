import type { Schemas } from '../../api/client';
import { Bars } from '../../ui/Bars';
import { Card } from '../../ui/Card';
import { Table, type Column } from '../../ui/Table';
import { figure, percent, whole, written } from '../../ui/format';

type Profiled = Schemas['ColumnAnswer'];

const COLUMNS: Column<Profiled>[] = [
  { key: 'name', name: 'Column', head: true, cell: ({ name }) => name },
  { key: 'kind', name: 'Kind', cell: ({ kind }) => kind },
  { key: 'shape', name: 'Distribution', cell: (column) => <Shape column={column} /> },
  { key: 'nulls', name: 'Missing', align: 'right', cell: ({ null_share }) => percent(null_share) },
  { key: 'distinct', name: 'Distinct', align: 'right', wideOnly: true, cell: ({ distinct }) => whole(distinct) },
  { key: 'mean', name: 'Mean', align: 'right', wideOnly: true, cell: ({ kind, mean }) => shown(kind, mean, figure) },
  { key: 'range', name: 'Range', align: 'right', wideOnly: true, cell: ({ kind, minimum, maximum }) => (minimum == null ? '–' : `${shown(kind, minimum)} to ${shown(kind, maximum)}`) },
  { key: 'top', name: 'Most frequent', wideOnly: true, cell: ({ kind, top }) => <Frequent kind={kind} top={top} /> },
];

/** Times are profiled as seconds. A mean of whole numbers is seldom whole. */
function shown(kind: Profiled['kind'], value: number | null, ofNumbers = kind === 'integer' ? whole : figure): string {
  return isTime(kind) && value != null ? written(kind, value) : ofNumbers(value);
}

function isTime(kind: Profiled['kind']): kind is 'date' | 'timestamp' {
  return kind === 'date' || kind === 'timestamp';
}

function Frequent({ kind, top }: Pick<Profiled, 'kind' | 'top'>) {
  const words = top.slice(0, 3).map(({ value, count }) => `${isTime(kind) ? written(kind, Number(value)) : value} (${whole(count)})`);
  return <span className="clamp">{words.join(', ')}</span>;
}

/** What the accepted rows look like, column by column. */
export function ProfileCard({ columns }: { columns: Profiled[] }) {
  return (
    <Card title="Columns" flush>
      <Table label="Columns" columns={COLUMNS} rows={columns} rowKey={(column) => column.name} />
    </Card>
  );
}

/** A histogram of numbers, or the most frequent values' shares. */
function Shape({ column: { name, kind, histogram, top, count } }: { column: Profiled }) {
  if (histogram.shares.length) {
    const { edges, shares } = histogram;
    return <Bars values={shares} label={`${name}: ${shares.length} bins from ${shown(kind, edges[0] ?? null)} to ${shown(kind, edges.at(-1) ?? null)}`} />;
  }
  return top.length ? <Bars values={top.map((each) => each.count / Math.max(1, count))} label={`${name}: its ${top.length} most frequent values`} /> : null;
}
