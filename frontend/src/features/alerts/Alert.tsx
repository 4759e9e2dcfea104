import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { alert as alertQuery } from '../../api/queries';
import { alertStatus } from '../../api/states';
import { ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Dated } from '../../ui/Dated';
import { Facts } from '../../ui/Facts';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Status } from '../../ui/Status';
import { Time } from '../../ui/Time';
import { count, moment } from '../../ui/format';
import { AlertActions } from './AlertActions';
import './alerts.css';

type Detail = Schemas['AlertDetail'];

const CHANGES: Record<Schemas['AlertChange'], string> = {
  OPENED: 'Opened',
  WOKEN: 'Noticed again after its snooze',
  ACKNOWLEDGED: 'Taken on',
  SNOOZED: 'Snoozed',
  CLOSED: 'Closed',
};

export default function Alert() {
  const { alertId } = useParams({ from: '/signed-in/alerts/$alertId' });
  const query = useQuery(alertQuery(alertId));
  const found = query.data;
  return (
    <Page title={found?.body.title ?? 'Alert'} subtitle={found && <Standing alert={found.body} />} actions={found && <AlertActions alert={found.body} etag={found.etag} />}>
      <Loaded query={query}>
        {({ body }) => (
          <>
            <Happened alert={body} />
            <History events={body.history} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Standing({ alert }: { alert: Detail }) {
  const { kind, word } = alertStatus(alert.state);
  return (
    <>
      <Status kind={kind}>{word}</Status>
      <span>
        {alert.severity.toLowerCase()}
        {alert.state === 'SNOOZED' && alert.snoozed_until && (
          <>
            , until <time dateTime={alert.snoozed_until}>{moment(alert.snoozed_until)}</time>
          </>
        )}
        {alert.owner && `, taken on by ${alert.owner}`}
      </span>
    </>
  );
}

/** What drifted is seen on the monitoring screen. */
const DRIFTS: Partial<Record<Schemas['AlertKind'], Schemas['DriftKind']>> = { data_drift: 'data', prediction_drift: 'prediction', performance_decay: 'performance' };

function Where({ alert }: { alert: Detail }) {
  const drift = DRIFTS[alert.kind];
  if (drift && alert.model) {
    return (
      <ButtonLink to="/monitoring" search={{ model: alert.model, kind: drift }}>
        Show where
      </ButtonLink>
    );
  }
  return alert.link.startsWith('/runs/') && <ButtonLink to={alert.link as '/'}>Show where</ButtonLink>;
}

function Happened({ alert }: { alert: Detail }) {
  return (
    <Card title="What happened">
      <p>
        <Dated>{alert.sentence.replaceAll('`', '')}</Dated>
      </p>
      <div className="alert-facts">
        <Facts
          facts={[
            ['Model', alert.model],
            ['Dataset', alert.dataset],
            ['Noticed', count(alert.breaches, 'time')],
            ['First', <Time key="first" at={alert.opened_at} />],
            ['Last', <Time key="last" at={alert.last_seen_at} />],
          ]}
        />
      </div>
      <Where alert={alert} />
    </Card>
  );
}

function History({ events }: { events: Schemas['AlertEvent'][] }) {
  return (
    <Card title="History">
      <ol className="alert-history">
        {events.map((event) => (
          <li key={event.sequence}>
            <span className="strong">{CHANGES[event.change]}</span>{' '}
            <span className="meta">
              {event.actor}, <Time at={event.at} />
            </span>
            <p className="quiet">
              <Dated>{event.reason.replaceAll('`', '')}</Dated>
            </p>
          </li>
        ))}
      </ol>
    </Card>
  );
}
