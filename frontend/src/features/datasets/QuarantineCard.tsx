import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { api, done, type Schemas } from '../../api/client';
import { pageOf } from '../../api/pages';
import { quarantine } from '../../api/queries';
import { Card } from '../../ui/Card';
import { DownloadButton } from '../../ui/DownloadButton';
import { Loaded } from '../../ui/Loaded';
import { Pager } from '../../ui/Pager';
import { Table, type Column } from '../../ui/Table';
import { count, whole } from '../../ui/format';

type Row = Schemas['QuarantinedRowAnswer'];

const COLUMNS: Column<Row>[] = [
  { key: 'line', name: 'Line', align: 'right', head: true, cell: ({ line }) => whole(line) },
  {
    key: 'reasons',
    name: 'Why',
    cell: ({ reasons }) => (
      <ul className="reasons">
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    ),
  },
  {
    key: 'text',
    name: 'As it came',
    cell: ({ text, cut }) => (
      <code className="set-aside-text">
        {text}
        {cut && '…'}
      </code>
    ),
  },
];

interface Props {
  name: string;
  number: number;
  first: NonNullable<Schemas['DatasetVersionScreen']['quarantine']>;
}

/** The rows that broke the contract, in the order of the file, each with every reason. */
export function QuarantineCard({ name, number, first }: Props) {
  const search = useSearch({ from: '/signed-in/datasets/$name/$version' });
  const navigate = useNavigate();
  const page = pageOf(first, useQuery(quarantine(name, number, search.cursor)), search.cursor);
  const address = async () => (await done(api.GET('/datasets/{dataset}/versions/{number}/files/{file}', { params: { path: { dataset: name, number, file: 'quarantine' } } }))).address;
  return (
    <Card title="Rows that were set aside" aside={<DownloadButton address={address}>Download all</DownloadButton>} flush>
      <Loaded query={page}>
        {({ items, next_cursor: next, total }) => (
          <>
            <Table label="Rows that were set aside" columns={COLUMNS} rows={items} rowKey={({ line }) => String(line)} />
            <Pager
              next={next}
              cursor={search.cursor}
              onGo={(cursor) => void navigate({ to: '/datasets/$name/$version', params: { name, version: String(number) }, search: { ...search, cursor }, resetScroll: false })}
            >
              {total != null && `${whole(items.length)} of ${count(total, 'row')}`}
            </Pager>
          </>
        )}
      </Loaded>
    </Card>
  );
}
