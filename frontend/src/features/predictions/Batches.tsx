import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { pageOf } from '../../api/pages';
import { batches } from '../../api/queries';
import { runStatus } from '../../api/states';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Pager } from '../../ui/Pager';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Results } from './Results';

type Job = Schemas['BatchSummary'];

const COLUMNS: Column<Job>[] = [
  { key: 'state', name: 'Status', cell: ({ state }) => <Status kind={runStatus(state).kind}>{runStatus(state).word}</Status> },
  {
    key: 'file',
    name: 'Input',
    head: true,
    cell: ({ job_id: jobId, source }) => (
      <Link to="/predictions/$jobId" params={{ jobId }} className="run-id">
        {sourceName(source)}
      </Link>
    ),
  },
  { key: 'model', name: 'Model', cell: ({ model, version }) => (version ? `${model} v${version}` : model) },
  { key: 'said', name: 'What came of it', wideOnly: true, cell: ({ sentence }) => <span className="clamp" title={sentence ?? ''}>{sentence}</span> },
  { key: 'started', name: 'Started', cell: ({ started_at }) => <Time at={started_at} /> },
  { key: 'result', name: 'Result', hideName: true, align: 'right', cell: ({ job_id, state, source }) => state === 'SUCCEEDED' && <Results jobId={job_id} name={`Download the predictions of ${sourceName(source)}`} /> },
];

interface Props {
  first: Schemas['PredictionsScreen']['batches'];
  cursor: string | undefined;
  onGo: (cursor: string | undefined) => void;
}

/** Jobs over whole files, newest first. */
export function Batches({ first, cursor, onGo }: Props) {
  const page = pageOf(first, useQuery(batches(cursor)), cursor);
  return (
    <Card title="Batch jobs" flush>
      <Loaded query={page}>
        {({ items, next_cursor: next }) =>
          items.length ? (
            <>
              <Table label="Batch jobs" columns={COLUMNS} rows={items} rowKey={({ job_id }) => job_id} />
              <Pager next={next} cursor={cursor} onGo={onGo} />
            </>
          ) : (
            <EmptyState title="No file was predicted yet" icon="list">
              <p className="quiet">Send one above, or drop it into the model's folder of the data bucket.</p>
            </EmptyState>
          )
        }
      </Loaded>
    </Card>
  );
}

/** The last part of where the rows came from: a file's name, or a dataset version. */
export function sourceName(source: string): string {
  const parts = source.replace(/\/$/, '').split('/');
  return parts.includes('datasets') ? parts.slice(-2).join(' ') : (parts.at(-1) ?? source);
}
