import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { alerts as alertsQuery } from '../../api/queries';
import { alertStatus } from '../../api/states';
import { Card } from '../../ui/Card';
import { Chips } from '../../ui/Chips';
import { Dated } from '../../ui/Dated';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Pager } from '../../ui/Pager';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { count, whole } from '../../ui/format';
import { STATES } from './search';
import './alerts.css';

type Alert = Schemas['AlertSummary'];

const COLUMNS: Column<Alert>[] = [
  { key: 'state', name: 'State', cell: ({ state }) => <State state={state} /> },
  {
    key: 'title',
    name: 'What is wrong',
    head: true,
    cell: ({ alert_id, title, sentence }) => (
      <span className="alert-words">
        <Link to="/alerts/$alertId" params={{ alertId: alert_id }} className="strong">
          {title}
        </Link>
        <span className="meta">
          <Dated>{sentence.replaceAll('`', '')}</Dated>
        </span>
      </span>
    ),
  },
  { key: 'severity', name: 'Severity', wideOnly: true, cell: ({ severity }) => severity.toLowerCase() },
  { key: 'owner', name: 'Taken on by', wideOnly: true, cell: ({ owner }) => owner ?? <span className="quiet">nobody</span> },
  { key: 'breaches', name: 'Noticed', wideOnly: true, align: 'right', cell: ({ breaches }) => `${whole(breaches)} ×` },
  { key: 'seen', name: 'Last', cell: ({ last_seen_at }) => <Time at={last_seen_at} /> },
];

/** One row for each cause, however often it was noticed. */
export default function Alerts() {
  const search = useSearch({ from: '/signed-in/alerts' });
  const navigate = useNavigate();
  const query = useQuery(alertsQuery(search));
  const shown = query.data?.body;
  return (
    <Page title={shown ? headingOf(shown.items, shown.next_cursor ?? search.cursor) : 'Alerts'} tab="Alerts">
      <Chips label="State" chips={STATES.map((value) => ({ value, name: alertStatus(value).word }))} chosen={search.state} onChoose={(state) => void navigate({ to: '/alerts', search: { ...search, state, cursor: undefined } })} />
      <Card flush>
        <Loaded query={query}>
          {({ body }) =>
            body.items.length ? (
              <>
                <Table label="Alerts" columns={COLUMNS} rows={body.items} rowKey={({ alert_id }) => alert_id} />
                <Pager next={body.next_cursor} cursor={search.cursor} onGo={(cursor) => void navigate({ to: '/alerts', search: { ...search, cursor } })}>
                  {count(body.items.length, 'alert')}
                </Pager>
              </>
            ) : (
              <EmptyState title={search.state ? 'No such alert' : 'Nothing was ever wrong'} icon="check" />
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}

function State({ state }: { state: Alert['state'] }) {
  const { kind, word } = alertStatus(state);
  return <Status kind={kind}>{word}</Status>;
}

/** The heading is the answer, where the page shows all of them. */
function headingOf(items: Alert[], more: string | null | undefined): string {
  const open = items.filter(({ state }) => state === 'OPEN').length;
  if (open) return `${more ? 'At least ' : ''}${count(open, 'alert waits', 'alerts wait')} for somebody`;
  return more ? 'Alerts' : 'No alert waits for anybody';
}
