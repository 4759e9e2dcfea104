import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';

import type { Schemas } from '../../api/client';
import { datasets } from '../../api/queries';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Pager } from '../../ui/Pager';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Updated } from '../../ui/Updated';
import { count, percent, whole } from '../../ui/format';
import { NewDataset } from './NewDataset';
import { VersionState } from './VersionState';

type Dataset = Schemas['DatasetListed'];

const COLUMNS: Column<Dataset>[] = [
  {
    key: 'name',
    name: 'Dataset',
    head: true,
    sortable: true,
    cell: ({ name }) => (
      <Link to="/datasets/$name" params={{ name }}>
        {name}
      </Link>
    ),
  },
  { key: 'state', name: 'Newest version', cell: ({ newest }) => <Newest version={newest} /> },
  { key: 'rows', name: 'Rows', align: 'right', cell: ({ newest }) => whole(newest?.accepted) },
  { key: 'quarantined', name: 'Set aside', align: 'right', cell: ({ newest }) => percent(newest?.quarantined_share) },
  { key: 'target', name: 'Target', cell: ({ target }) => target ?? <span className="quiet">none yet</span> },
  { key: 'made', name: 'Changed', wideOnly: true, cell: ({ newest, created_at }) => <Time at={newest?.created_at ?? created_at} /> },
];

export default function Datasets() {
  const search = useSearch({ from: '/signed-in/datasets' });
  const navigate = useNavigate();
  const query = useQuery(datasets(search));
  const [making, setMaking] = useState(false);
  const make = may('scientist') && (
    <Button look="primary" onClick={() => setMaking(true)}>
      New dataset…
    </Button>
  );
  return (
    <Page title={titleOf(query.data?.body)} tab="Datasets" subtitle={<Updated at={query.dataUpdatedAt} failing={query.isError} />} actions={make}>
      <Card flush>
        <Loaded query={query}>
          {({ body }) =>
            body.items.length ? (
              <>
                <Table label="Datasets" columns={COLUMNS} rows={body.items} rowKey={({ name }) => name} sort={search.sort ?? 'name'} onSort={(sort) => void navigate({ to: '/datasets', search: { sort: sort === 'name' ? undefined : '-name' }, resetScroll: false })} />
                <Pager next={body.next_cursor} cursor={search.cursor} onGo={(cursor) => void navigate({ to: '/datasets', search: { ...search, cursor } })}>
                  {body.total != null && `${whole(body.items.length)} of ${count(body.total, 'dataset')}`}
                </Pager>
              </>
            ) : (
              <EmptyState title="There is no dataset yet" icon="database">
                <p className="quiet">Make one, drop a file into it, and the platform checks it, profiles it and trains on it.</p>
                {make}
              </EmptyState>
            )
          }
        </Loaded>
      </Card>
      {making && <NewDataset onClose={() => setMaking(false)} />}
    </Page>
  );
}

function Newest({ version }: { version: Dataset['newest'] }) {
  if (!version) return <Status kind="waiting">No version yet</Status>;
  return (
    <span className="row">
      <VersionState version={version} />
      <Link to="/datasets/$name/$version" params={{ name: version.dataset, version: String(version.version) }}>
        v{version.version}
      </Link>
    </span>
  );
}

function titleOf(page: { items: Dataset[]; total?: number | null } | undefined): string {
  if (!page) return 'Datasets';
  const refused = page.items.filter(({ newest }) => newest?.state === 'REJECTED').length;
  const all = count(page.total ?? page.items.length, 'dataset');
  return refused ? `${all}, the newest version of ${whole(refused)} was refused` : all;
}
