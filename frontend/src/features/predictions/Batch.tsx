import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { batch } from '../../api/queries';
import { runStatus } from '../../api/states';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { Loaded } from '../../ui/Loaded';
import { Meter } from '../../ui/Meter';
import { Page } from '../../ui/Page';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { money, whole } from '../../ui/format';
import { sourceName } from './Batches';
import { Results } from './Results';
import './predictions.css';

type Job = Schemas['BatchDetail'];
type Row = Schemas['QuarantinedRowAnswer'];

export default function Batch() {
  const { jobId } = useParams({ from: '/signed-in/predictions/$jobId' });
  const query = useQuery(batch(jobId));
  const job = query.data?.body.job;
  const status = job && runStatus(job.state);
  return (
    <Page
      title={job ? titleOf(job) : 'Batch job'}
      tab={job ? `${status!.word} ${sourceName(job.source)}` : 'Batch job'}
      subtitle={status && <Status kind={status.kind}>{status.word}</Status>}
      actions={job?.state === 'SUCCEEDED' && <Results jobId={jobId} />}
    >
      <Loaded query={query}>{({ body }) => <Shown {...body} />}</Loaded>
    </Page>
  );
}

function Shown({ job, quarantine }: Schemas['BatchScreen']) {
  const failed = job.state !== 'RUNNING' && job.state !== 'SUCCEEDED';
  return (
    <>
      <Card title={failed ? 'Why there are no predictions' : job.state === 'RUNNING' ? 'How far it is' : 'What came of it'} warns={failed}>
        <div className="stack">
          {job.state === 'RUNNING' && <Meter share={job.steps_done / job.steps} label={`${whole(job.steps_done)} of ${whole(job.steps)} steps`} />}
          <p>{job.sentence ?? `Step ${job.steps_done + 1} of ${job.steps}${job.step ? `: ${job.step}` : ''}`}</p>
        </div>
      </Card>
      <Card title="Rows" flush>
        <Facts
          facts={[
            ['Read', whole(job.rows_in)],
            ['Predicted', whole(job.predicted)],
            ['Refused', whole(job.rejected)],
            ['Columns not used', job.ignored_columns.join(', ')],
            ['Record ids', job.record_ids === 'given' ? 'from the file' : job.record_ids && 'made from the job and the row'],
            ['Model', <VersionLink key="model" job={job} />],
            ['Started', <Time key="started" at={job.started_at} />],
            ['By', job.started_by],
            ['Cost', job.cost_usd == null ? null : money(job.cost_usd)],
            [
              'Run',
              <Link key="run" to="/runs/$runId" params={{ runId: job.job_id }}>
                {job.job_id}
              </Link>,
            ],
          ]}
        />
      </Card>
      <Counted title="Why rows were refused" counts={job.violations} />
      {quarantine && <Refused rows={quarantine.items} />}
      <Counted title="What was odd about predicted rows" counts={job.notices} />
    </>
  );
}

function VersionLink({ job: { model, version } }: { job: Job }) {
  if (!version) return <>{model}</>;
  return (
    <Link to="/models/$model/$number" params={{ model, number: String(version) }}>
      {model}:{version}
    </Link>
  );
}

const COUNTS: Column<[string, number]>[] = [
  { key: 'what', name: 'Column and rule', head: true, cell: ([what]) => what },
  { key: 'rows', name: 'Rows', align: 'right', cell: ([, rows]) => whole(rows) },
];

function Counted({ title, counts }: { title: string; counts: Record<string, number> }) {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (!rows.length) return null;
  return (
    <Card title={title} flush>
      <Table label={title} columns={COUNTS} rows={rows} rowKey={([what]) => what} />
    </Card>
  );
}

const ROWS: Column<Row>[] = [
  { key: 'line', name: 'Line', align: 'right', head: true, cell: ({ line }) => whole(line) },
  { key: 'why', name: 'Why', cell: ({ reasons }) => reasons.join('; ') },
  { key: 'text', name: 'As it came', cell: ({ text, cut }) => <code className="as-it-came">{cut ? `${text}…` : text}</code> },
];

function Refused({ rows }: { rows: Row[] }) {
  return (
    <Card title="Rows that were refused" flush>
      <Table label="Rows that were refused" columns={ROWS} rows={rows} rowKey={({ line }) => String(line)} />
    </Card>
  );
}

function titleOf(job: Job): string {
  const file = sourceName(job.source);
  if (job.state === 'SUCCEEDED') return `${file}: ${whole(job.predicted)} rows predicted${job.rejected ? `, ${whole(job.rejected)} refused` : ''}`;
  return job.state === 'RUNNING' ? `${file} is being predicted` : `${file} was not predicted`;
}
