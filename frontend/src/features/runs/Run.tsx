import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { run as runQuery } from '../../api/queries';
import { runStatus } from '../../api/states';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Dag } from '../../ui/Dag';
import { Dated } from '../../ui/Dated';
import { EmptyState } from '../../ui/EmptyState';
import { Facts } from '../../ui/Facts';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Status } from '../../ui/Status';
import { Time } from '../../ui/Time';
import { Timeline } from '../../ui/Timeline';
import { Updated } from '../../ui/Updated';
import { duration, money } from '../../ui/format';
import type { Line } from '../../ui/logLines';
import { useFavicon } from '../../ui/useFavicon';
import { useNow } from '../../ui/useNow';
import { RunActions } from './RunActions';
import { partsOf } from './cost';
import { RunLog } from './RunLog';
import type { RunSearch } from './search';
import { causeOf, runLog } from './log';
import { failedStep, graphOf, keysOf, spansOf, words, type FailedStep } from './steps';
import './run.css';

type Detail = Schemas['RunDetail'];

export default function Run() {
  const { runId } = useParams({ from: '/signed-in/runs/$runId' });
  const query = useQuery(runQuery(runId));
  const found = query.data?.body;
  useFavicon(found ? iconOf(found.state) : null);
  return (
    <Page
      title={found ? titleOf(found) : runId}
      tab={found ? `${runStatus(found.state).word} ${runId}` : runId}
      subtitle={found && <Subtitle run={found} at={query.dataUpdatedAt} failing={query.isError} />}
      actions={found && <RunActions run={found} />}
    >
      <Loaded query={query}>{({ body }) => <Body run={body} />}</Loaded>
    </Page>
  );
}

function Subtitle({ run, at, failing }: { run: Detail; at: number; failing: boolean }) {
  return (
    <>
      <Status kind={runStatus(run.state).kind}>{runStatus(run.state).word}</Status>
      <code>{run.run_id}</code>
      {run.state === 'RUNNING' && <Updated at={at} failing={failing} />}
    </>
  );
}

function Body({ run }: { run: Detail }) {
  const search = useSearch({ from: '/signed-in/runs/$runId' });
  const navigate = useNavigate();
  const show = (change: RunSearch) => void navigate({ to: '/runs/$runId', params: { runId: run.run_id }, search: { ...search, ...change }, replace: true, resetScroll: false });
  const select = (step: string | undefined) => show({ step, line: undefined });
  const showCause = ({ key, step }: FailedStep, lines: Line[]) => show({ step: key, level: undefined, find: undefined, line: causeOf(lines, step.job?.name) });
  const chosen = run.steps[keysOf(run.steps).indexOf(search.step ?? '')];
  return (
    <>
      <Ending run={run} onShow={showCause} />
      <Card flush>
        <Facts facts={factsOf(run)} />
      </Card>
      {run.steps.length === 0 ? (
        <Card>
          <EmptyState title={withoutSteps(run)} icon="clock" />
        </Card>
      ) : (
        <>
          <Card title="Steps" flush>
            <Dag label="Steps of the run" steps={graphOf(run.steps)} selected={search.step} onSelect={select} />
          </Card>
          <div className="run-split">
            <Times run={run} selected={search.step} onSelect={select} />
            <RunLog run={run} job={chosen?.job?.name} stepName={chosen && words(search.step!)} search={search} onShow={show} />
          </div>
        </>
      )}
    </>
  );
}

function withoutSteps({ pipeline, state }: Detail): string {
  if (pipeline === 'import') return 'An operator’s command takes a version over: there are no steps';
  return state === 'RUNNING' ? 'The first step is about to begin' : 'No step of this run is known';
}

/** What a run came to: the cause first when it failed, with the way to its log. */
function Ending({ run, onShow }: { run: Detail; onShow: (failed: FailedStep, lines: Line[]) => void }) {
  const log = useQuery(runLog(run.run_id));
  const failed = failedStep(run.steps);
  if (run.state === 'RUNNING') return null;
  if (run.state === 'SUCCEEDED') {
    return (
      run.outcome && (
        <Card>
          <p>
            <Dated>{run.outcome}</Dated>
          </p>
        </Card>
      )
    );
  }
  return (
    <Card warns>
      <h2>{failed ? `${words(failed.key)} failed` : runStatus(run.state).word}</h2>
      <p className="run-reason">{run.reason ?? failed?.step.reason ?? 'The execution ended without saying why.'}</p>
      {failed?.step.job && <Button onClick={() => onShow(failed, log.data?.lines ?? [])}>Show in log</Button>}
    </Card>
  );
}

function Times({ run, selected, onSelect }: { run: Detail; selected?: string; onSelect: (step: string | undefined) => void }) {
  const now = useNow(run.state === 'RUNNING' ? 1000 : 60_000);
  return (
    <Card title="Timeline" aside={<span className="meta">{duration(run.seconds ?? (now.getTime() - Date.parse(run.started_at)) / 1000)}</span>} flush>
      <Timeline label="When each step ran" spans={spansOf(run.steps)} now={now} selected={selected} onSelect={onSelect} />
    </Card>
  );
}

function factsOf(run: Detail): [string, React.ReactNode][] {
  return [
    ['Pipeline', run.pipeline],
    ['Dataset', run.dataset_version ? `${run.dataset} v${run.dataset_version}` : run.dataset],
    [
      'Model',
      run.model && (
        <Link key="model" to="/models/$model" params={{ model: run.model }}>
          {run.model}
        </Link>
      ),
    ],
    ['Started', <Time key="at" at={run.started_at} />],
    ['Took', run.seconds === null ? null : duration(run.seconds)],
    ['Cost', run.cost_usd === null && partsOf(run.costs) === null ? null : <Cost key="cost" run={run} />],
    ['By', run.started_by],
    ['Because', typeof run.input.reason === 'string' ? run.input.reason : null],
  ];
}

function Cost({ run: { cost_usd, costs } }: { run: Detail }) {
  const parts = partsOf(costs);
  return (
    <>
      {money(cost_usd)}
      {parts && <div className="meta">{parts}</div>}
    </>
  );
}

function titleOf(run: Detail): string {
  const what = { ingest: 'Ingest', training: 'Training', deployment: 'Deployment' }[run.pipeline] ?? words(run.pipeline);
  return `${what} of ${run.dataset}${run.dataset_version ? ` v${run.dataset_version}` : ''}`;
}

function iconOf(state: Detail['state']): 'running' | 'succeeded' | 'failed' {
  if (state === 'RUNNING') return 'running';
  return state === 'SUCCEEDED' ? 'succeeded' : 'failed';
}

