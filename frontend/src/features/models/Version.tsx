import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { metricName } from '../../api/metricNames';
import { modelVersion } from '../../api/queries';
import { approvalStatus } from '../../api/states';
import { Card } from '../../ui/Card';
import { Delta } from '../../ui/Delta';
import { Facts } from '../../ui/Facts';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Status } from '../../ui/Status';
import { Tile } from '../../ui/Tile';
import { Time } from '../../ui/Time';
import { count, duration, figure } from '../../ui/format';
import { Decide } from './Decide';
import { DeployAgain } from './DeployAgain';
import { Evaluation } from './Evaluation';
import { LineageCard } from './LineageCard';
import { VersionLink } from './VersionLink';
import './version.css';

type Detail = Schemas['VersionDetail'];
type Screen = Schemas['ModelVersionScreen'];

export default function Version() {
  const { model, number } = useParams({ from: '/signed-in/models/$model/$number' });
  const id = `${model}:${number}`;
  const query = useQuery(modelVersion(id));
  const found = query.data;
  return (
    <Page title={`${model} v${number}`} subtitle={found && <Subtitle version={found.body.version} />} actions={found && <Actions version={found.body.version} />}>
      <Loaded query={query}>{({ body }) => <Body {...body} />}</Loaded>
    </Page>
  );
}

function Actions({ version }: { version: Detail }) {
  return (
    <>
      <Decide version={version} />
      <DeployAgain version={version} />
    </>
  );
}

function Subtitle({ version }: { version: Detail }) {
  const { kind, word } = approvalStatus(version.approval.state);
  return (
    <>
      {version.aliases.includes('champion') ? <Status kind="good">Live</Status> : <Status kind={kind}>{word}</Status>}
      <span>
        {version.algorithm} from{' '}
        <Link to="/runs/$runId" params={{ runId: version.lineage.run_id }}>
          {version.lineage.run_id}
        </Link>{' '}
        on {version.lineage.dataset} v{version.lineage.dataset_version}
      </span>
    </>
  );
}

function Body({ version, since, evaluation, lineage, rival }: Screen) {
  return (
    <>
      <VerdictCard version={version} since={since} />
      <div className="tiles">
        {Object.entries(version.metrics).map(([name, metric]) => (
          <Tile key={name} name={metricName(name)} value={figure(metric.value)} note={<Against name={name} metric={metric} rival={rival} />} />
        ))}
      </div>
      <div className="version-split">
        {evaluation ? <Evaluation own={evaluation} rival={rival} /> : <Unread id={version.id} />}
        <LineageCard lineage={lineage} />
        <DecisionRecord version={version} />
      </div>
    </>
  );
}

function Unread({ id }: { id: string }) {
  return (
    <Card title="Evaluation">
      <p className="quiet">The evaluation of {id} is not where it was stored, so its curves cannot be shown.</p>
    </Card>
  );
}

/** Better or worse than what it was compared with; without one, how sure the figure is. */
function Against({ name, metric, rival }: { name: string; metric: Schemas['Metric']; rival: Screen['rival'] }) {
  const before = rival?.metrics[name];
  const interval = `${figure(metric.low)} to ${figure(metric.high)}`;
  if (!rival || !before) return <>95 % interval {interval}</>;
  return (
    <>
      <Delta value={metric.value - before.value} higherIsBetter={metric.higher_is_better} /> than v{rival.number} with {figure(before.value)}; {interval}
    </>
  );
}

const OUTCOMES: Record<Schemas['Verdict']['outcome'], ['good' | 'bad' | 'waiting', string]> = {
  FIRST: ['waiting', 'The first of its kind'],
  BETTER: ['good', 'Better than what is live'],
  NO_DIFFERENCE: ['waiting', 'No difference that these rows could show'],
  WORSE: ['bad', 'Worse than what is live'],
};

function VerdictCard({ version: { id, verdict, recommended }, since }: { version: Detail; since: string | null }) {
  const [kind, word] = OUTCOMES[verdict.outcome];
  const rival = rivalOf(verdict);
  return (
    <Card>
      <div className="row">
        <Status kind={kind}>{word}</Status>
        {recommended && <Status kind="good">Recommended</Status>}
        <span className="meta">
          compared with {rival ? <VersionLink id={rival} /> : verdict.compared_with} on the same {count(verdict.test_rows, 'row')}
        </span>
        {rival && (
          <Link to="/runs/compare" search={{ ids: `${rival},${id}` }}>
            Side by side
          </Link>
        )}
      </div>
      {since && <p className="strong">{since}</p>}
      <p>{verdict.sentence}</p>
    </Card>
  );
}

/** The version it had to beat; a first one is compared with a constant prediction, which is no version. */
function rivalOf({ compared_with: rival }: Schemas['Verdict']): string | undefined {
  return rival.includes(':') ? rival : undefined;
}

function DecisionRecord({ version }: { version: Detail }) {
  const { approval } = version;
  return (
    <Card title="Decision and make" flush>
      <Facts
        facts={[
          ['Decision', approvalStatus(approval.state).word],
          ['By', approval.actor],
          ['When', approval.decided_at && <Time key="at" at={approval.decided_at} />],
          ['Reason', approval.reason],
          ['Target', version.target],
          ['Task', version.task],
          ['Trained in', duration(version.training_seconds)],
          ['Artefact', <code key="digest">{version.artifact_digest.slice(0, 12)}</code>],
          ['Hyperparameters', Object.entries(version.hyperparameters).map(([name, value]) => `${name} ${String(value)}`).join(', ')],
        ]}
      />
    </Card>
  );
}
