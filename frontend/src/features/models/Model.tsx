import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { metricName } from '../../api/metricNames';
import { model as modelQuery } from '../../api/queries';
import { approvalStatus } from '../../api/states';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Facts } from '../../ui/Facts';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { percent } from '../../ui/format';
import { useChosen } from '../../ui/useChosen';
import { eventSentence } from './events';
import { withInterval } from './metrics';
import { ModelActions } from './ModelActions';
import { VersionLink } from './VersionLink';
import './version.css';

type Brief = Schemas['VersionBrief'];

export default function Model() {
  const { model } = useParams({ from: '/signed-in/models/$model' });
  const query = useQuery(modelQuery(model));
  const found = query.data;
  return (
    <Page title={model} tab={model} subtitle={found && <Live model={found.body} />} actions={found && <ModelActions model={found.body} etag={found.etag} />}>
      <Loaded query={query}>
        {({ body }) => (
          <>
            {body.rollout && <RolloutCard rollout={body.rollout} />}
            <Versions model={body} />
            <History events={body.history} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Live({ model }: { model: Schemas['ModelSummary'] }) {
  return (
    <>
      {model.champion ? <Status kind="good">Live: {model.champion.id}</Status> : <Status kind="waiting">Nothing live yet</Status>}
      <span>
        of dataset{' '}
        <Link to="/runs" search={{ dataset: model.dataset }}>
          {model.dataset}
        </Link>
      </span>
    </>
  );
}

/** A version on its way: how far, and when the next step is due. */
function RolloutCard({ rollout }: { rollout: Schemas['RolloutAnswer'] }) {
  const what = rollout.strategy === 'shadow' ? 'answers in the shadow: nobody is told' : `answers ${percent(rollout.share, 0)} of requests`;
  return (
    <Card title={`${rollout.version} is being rolled out beside ${rollout.champion}`} flush>
      <Facts
        facts={[
          ['Now', `${rollout.version} ${what}`],
          ['Step', `${rollout.step} of ${rollout.steps}`],
          ['Began', <Time key="began" at={rollout.started_at} />],
          [
            'Run',
            <Link key="run" to="/runs/$runId" params={{ runId: rollout.run_id }}>
              {rollout.run_id}
            </Link>,
          ],
        ]}
      />
    </Card>
  );
}

function Versions({ model }: { model: Schemas['ModelDetail'] }) {
  const search = useSearch({ from: '/signed-in/models/$model' });
  const navigate = useNavigate();
  const choice = useChosen(search.chosen, (chosen) => void navigate({ to: '/models/$model', params: { model: model.name }, search: { chosen }, replace: true, resetScroll: false }));
  const columns: Column<Brief>[] = [
    { key: 'id', name: 'Version', head: true, cell: ({ id }) => <VersionLink id={id} /> },
    { key: 'state', name: 'Decision', cell: ({ id, approval }) => <Standing id={id} approval={approval} live={model.champion?.id} /> },
    { key: 'algorithm', name: 'Algorithm', cell: ({ algorithm }) => algorithm },
    { key: 'quality', name: 'Quality on the test rows', cell: ({ metric, value }) => `${metricName(metric)} ${withInterval(value)}` },
    { key: 'verdict', name: 'Verdict', wideOnly: true, cell: ({ verdict, recommended }) => `${verdict.toLowerCase().replaceAll('_', ' ')}${recommended ? ', recommended' : ''}` },
    { key: 'made', name: 'Trained', cell: ({ created_at }) => <Time at={created_at} /> },
  ];
  return (
    <Card title="Versions" aside={choice.bar} flush>
      <Table label="Versions" columns={columns} rows={model.versions} rowKey={({ id }) => id} selected={choice.selected} onSelect={choice.onSelect} />
    </Card>
  );
}

function Standing({ id, approval, live }: { id: string; approval: Brief['approval']; live: string | undefined }) {
  if (id === live) return <Status kind="good">Live</Status>;
  const { kind, word } = approvalStatus(approval);
  return <Status kind={kind}>{word}</Status>;
}

function History({ events }: { events: Schemas['ModelEventAnswer'][] }) {
  return (
    <Card title="How it got here">
      {events.length ? (
        <ol className="history">
          {events.map((event) => (
            <li key={event.sequence}>
              <span className="strong">{eventSentence(event)}</span>{' '}
              <span className="meta">
                {event.actor}, <Time at={event.at} />
              </span>
              {event.reason && <p className="quiet">{event.reason}</p>}
            </li>
          ))}
        </ol>
      ) : (
        <EmptyState title="Nothing has happened yet" icon="list" />
      )}
    </Card>
  );
}
