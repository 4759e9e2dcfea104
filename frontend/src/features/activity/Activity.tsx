import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { activity } from '../../api/queries';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Dated } from '../../ui/Dated';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Pager } from '../../ui/Pager';
import { SearchField } from '../../ui/SearchField';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Updated } from '../../ui/Updated';
import { placeOf, sentenceOf, whoOf } from './sentences';
import type { ActivitySearch } from './search';

type Entry = Schemas['ActivityEntry'];

const COLUMNS: Column<Entry>[] = [
  { key: 'at', name: 'When', cell: (entry) => <Time at={entry.at} /> },
  { key: 'actor', name: 'Who', cell: ({ actor }) => <span title={actor}>{whoOf(actor)}</span> },
  { key: 'action', name: 'What', head: true, cell: (entry) => <Dated>{sentenceOf(entry)}</Dated> },
  { key: 'subject', name: 'On', cell: ({ subject }) => <Subject of={subject} /> },
];

function Subject({ of: subject }: { of: string }) {
  const place = placeOf(subject);
  const name = <code>{subject}</code>;
  return place ? <Link to={place as '/'}>{name}</Link> : name;
}

export default function Activity() {
  const search = useSearch({ from: '/signed-in/activity' });
  const navigate = useNavigate();
  const query = useQuery(activity(search));
  const filter = (change: ActivitySearch) =>
    void navigate({ to: '/activity', search: { ...search, cursor: undefined, ...change }, resetScroll: false });
  const filtered = Boolean(search.actor || search.subject);
  return (
    <Page title="Who did what" tab="Activity" subtitle={<Updated at={query.dataUpdatedAt} failing={query.isError} />}>
      <div className="row">
        <SearchField label="Who, as user:ada" value={search.actor ?? ''} onChange={(actor) => filter({ actor: actor || undefined })} />
        <SearchField label="On what, as dataset:churn" value={search.subject ?? ''} onChange={(subject) => filter({ subject: subject || undefined })} />
        {filtered && <Button onClick={() => filter({ actor: undefined, subject: undefined })}>Clear filters</Button>}
      </div>
      <Card flush>
        <Loaded query={query}>
          {({ body }) =>
            body.items.length ? (
              <>
                <Table label="Activity" columns={COLUMNS} rows={body.items} rowKey={(entry) => entry.hash} />
                <Pager next={body.next_cursor} cursor={search.cursor} onGo={(cursor) => filter({ cursor })} />
              </>
            ) : (
              <EmptyState title={filtered ? 'Nothing matches these filters' : 'Nothing has happened yet'} icon="list" />
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}
