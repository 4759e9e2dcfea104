import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { metricName } from '../../api/metricNames';
import { models } from '../../api/queries';
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
import { withInterval } from './metrics';
import { VersionLink } from './VersionLink';

type Model = Schemas['ModelSummary'];

const COLUMNS: Column<Model>[] = [
  {
    key: 'name',
    name: 'Model',
    head: true,
    sortable: true,
    cell: ({ name }) => (
      <Link to="/models/$model" params={{ model: name }}>
        {name}
      </Link>
    ),
  },
  { key: 'live', name: 'Live', cell: ({ champion }) => (champion ? <VersionLink id={champion.id} /> : <span className="quiet">none yet</span>) },
  { key: 'quality', name: 'Quality on the test rows', cell: ({ champion }) => champion && `${metricName(champion.metric)} ${withInterval(champion.value)}` },
  { key: 'waits', name: 'Waits for a decision', cell: (model) => <Waiting model={model} /> },
  { key: 'latest', name: 'Newest', wideOnly: true, cell: ({ latest }) => latest && <VersionLink id={latest.id} /> },
  { key: 'made', name: 'Trained', cell: ({ latest }) => latest && <Time at={latest.created_at} /> },
];

export default function Models() {
  const search = useSearch({ from: '/signed-in/models' });
  const navigate = useNavigate();
  const query = useQuery(models(search));
  const page = query.data?.body;
  return (
    <Page title={page ? titleOf(page.items) : 'Models'} tab="Models" subtitle={<Updated at={query.dataUpdatedAt} failing={query.isError} />}>
      <Card flush>
        <Loaded query={query}>
          {({ body }) =>
            body.items.length ? (
              <>
                <Table label="Models" columns={COLUMNS} rows={body.items} rowKey={({ name }) => name} sort={search.sort ?? 'name'} onSort={(sort) => void navigate({ to: '/models', search: { sort: sort === 'name' ? undefined : '-name' }, resetScroll: false })} />
                <Pager next={body.next_cursor} cursor={search.cursor} onGo={(cursor) => void navigate({ to: '/models', search: { ...search, cursor } })}>
                  {body.total != null && `${whole(body.items.length)} of ${count(body.total, 'model')}`}
                </Pager>
              </>
            ) : (
              <EmptyState title="No model yet" icon="cube">
                <p>A model is registered when a dataset with a target has been trained on.</p>
              </EmptyState>
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}

function Waiting({ model }: { model: Model }) {
  const { pending, rollout } = model;
  return (
    <span className="row">
      {rollout && <Status kind="busy">{`${rollout.version} at ${percent(rollout.share, 0)}`}</Status>}
      {pending.length > 0 && (
        <VersionLink id={pending[0]!}>
          <Status kind="ask">{pending.length === 1 ? pending[0] : `${pending[0]} and ${pending.length - 1} more`}</Status>
        </VersionLink>
      )}
    </span>
  );
}

function titleOf(shown: Model[]): string {
  const waiting = shown.reduce((sum, { pending }) => sum + pending.length, 0);
  return waiting ? `${count(waiting, 'version')} ${waiting === 1 ? 'waits' : 'wait'} for a decision` : 'Every version is decided';
}
