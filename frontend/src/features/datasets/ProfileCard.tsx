import { useQuery } from '@tanstack/react-query';

import type { Schemas } from '../../api/client';
import { datasetProfile } from '../../api/queries';
import { Bars } from '../../ui/Bars';
import { Card } from '../../ui/Card';
import { Loaded } from '../../ui/Loaded';
import { Table, type Column } from '../../ui/Table';
import { figure, percent, whole } from '../../ui/format';

type Profiled = Schemas['ColumnAnswer'];

const COLUMNS: Column<Profiled>[] = [
  { key: 'name', name: 'Column', head: true, cell: ({ name }) => name },
  { key: 'kind', name: 'Kind', cell: ({ kind }) => kind },
  { key: 'shape', name: 'Distribution', cell: (column) => <Shape column={column} /> },
  { key: 'nulls', name: 'Missing', align: 'right', cell: ({ null_share }) => percent(null_share) },
  { key: 'distinct', name: 'Distinct', align: 'right', wideOnly: true, cell: ({ distinct }) => whole(distinct) },
  { key: 'mean', name: 'Mean', align: 'right', wideOnly: true, cell: ({ mean }) => figure(mean) },
  { key: 'range', name: 'Range', align: 'right', wideOnly: true, cell: ({ kind, minimum, maximum }) => (minimum == null ? '–' : `${shown(kind, minimum)} to ${shown(kind, maximum)}`) },
  { key: 'top', name: 'Most frequent', wideOnly: true, cell: ({ top }) => <span className="clamp">{top.slice(0, 3).map(({ value, count }) => `${value} (${whole(count)})`).join(', ')}</span> },
];

function shown(kind: Profiled['kind'], value: number | null): string {
  return kind === 'integer' ? whole(value) : figure(value);
}

/** What the accepted rows look like, column by column. */
export function ProfileCard({ name, number }: { name: string; number: number }) {
  const query = useQuery(datasetProfile(name, number));
  return (
    <Card title="Columns" flush>
      <Loaded query={query}>{({ body }) => <Table label="Columns" columns={COLUMNS} rows={body.columns} rowKey={(column) => column.name} />}</Loaded>
    </Card>
  );
}

/** A histogram of numbers, or the most frequent values' shares. */
function Shape({ column: { name, histogram, top, count } }: { column: Profiled }) {
  if (histogram.shares.length) {
    const { edges, shares } = histogram;
    return <Bars values={shares} label={`${name}: ${shares.length} bins from ${figure(edges[0])} to ${figure(edges.at(-1))}`} />;
  }
  return top.length ? <Bars values={top.map((each) => each.count / Math.max(1, count))} label={`${name}: its ${top.length} most frequent values`} /> : null;
}
