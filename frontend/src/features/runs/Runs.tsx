import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { runs } from '../../api/queries';
import { runStatus } from '../../api/states';
import { Button, ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Chips } from '../../ui/Chips';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Pager } from '../../ui/Pager';
import { SearchField } from '../../ui/SearchField';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Updated } from '../../ui/Updated';
import { count, duration, whole } from '../../ui/format';
import { useChosen, type Choice } from '../../ui/useChosen';
import { STATES, type RunsSearch } from './search';
import './runs.css';

type Run = Schemas['RunSummary'];
type Counts = Schemas['RunPage']['counts'];

const COLUMNS: Column<Run>[] = [
  { key: 'state', name: 'Status', cell: ({ state }) => <Status kind={runStatus(state).kind}>{runStatus(state).word}</Status> },
  {
    key: 'run',
    name: 'Run',
    head: true,
    cell: (run) => (
      <Link to="/runs/$runId" params={{ runId: run.run_id }} className="run-id">
        {run.run_id}
      </Link>
    ),
  },
  { key: 'pipeline', name: 'Pipeline', cell: (run) => run.pipeline },
  { key: 'on', name: 'Dataset', cell: (run) => <span className="nowrap">{run.dataset_version ? `${run.dataset} v${run.dataset_version}` : run.dataset}</span> },
  { key: 'outcome', name: 'What came of it', wideOnly: true, cell: ({ outcome, reason }) => <span className="clamp" title={outcome ?? reason ?? ''}>{outcome ?? reason ?? ''}</span> },
  { key: 'took', name: 'Took', align: 'right', cell: (run) => <span className="nowrap">{duration(run.seconds)}</span> },
  { key: 'started_at', name: 'Started', sortable: true, cell: (run) => <Time at={run.started_at} /> },
  { key: 'by', name: 'By', wideOnly: true, cell: (run) => run.started_by },
];

const NEWEST_FIRST = '-started_at';

export default function Runs() {
  const search = useSearch({ from: '/signed-in/runs' });
  const navigate = useNavigate();
  const { chosen, ...filters } = search;
  const query = useQuery(runs(filters));
  const filter = (change: RunsSearch) => void navigate({ to: '/runs', search: { ...search, cursor: undefined, ...change }, resetScroll: false });
  const counts = query.data?.body.counts;
  const choice = useChosen(chosen, (chosen) => void navigate({ to: '/runs', search: { ...search, chosen }, replace: true, resetScroll: false }));
  return (
    <Page title={titleOf(counts)} tab="Runs" subtitle={<Updated at={query.dataUpdatedAt} failing={query.isError} />} actions={<NewRun />}>
      <div className="row">
        <Chips label="Status" chips={chipsOf(counts)} chosen={search.state} onChoose={(state) => filter({ state })} />
        <SearchField label="Dataset" value={search.dataset ?? ''} onChange={(dataset) => filter({ dataset: dataset || undefined })} />
      </div>
      {choice.bar}
      <Card flush>
        <Loaded query={query}>{({ body }) => <List page={body} search={search} choice={choice} onFilter={filter} />}</Loaded>
      </Card>
    </Page>
  );
}

interface ListProps {
  page: Schemas['RunPage'];
  search: RunsSearch;
  choice: Choice;
  onFilter: (change: RunsSearch) => void;
}

function List({ page, search, choice, onFilter }: ListProps) {
  if (page.items.length === 0 && (search.state || search.dataset))
    return (
      <EmptyState title="No run matches these filters">
        <Button onClick={() => onFilter({ state: undefined, dataset: undefined })}>Clear filters</Button>
      </EmptyState>
    );
  if (page.items.length === 0)
    return (
      <EmptyState title="Nothing has run yet" icon="list">
        <p>A run starts when a file arrives, or when you train on a dataset.</p>
      </EmptyState>
    );
  return (
    <>
      <Table
        label="Runs"
        columns={COLUMNS}
        rows={page.items}
        rowKey={(run) => run.run_id}
        sort={search.sort ?? NEWEST_FIRST}
        onSort={(sort) => onFilter({ sort: sort === NEWEST_FIRST ? undefined : 'started_at' })}
        selected={choice.selected}
        onSelect={choice.onSelect}
        selectable={trained}
      />
      <Pager next={page.next_cursor} cursor={search.cursor} onGo={(cursor) => onFilter({ cursor })}>
        {page.total != null && `${whole(page.items.length)} of ${count(page.total, 'run')}`}
      </Pager>
    </>
  );
}

/** Only these have candidates to compare. */
function trained({ pipeline, state }: Run): boolean {
  return pipeline === 'training' && state === 'SUCCEEDED';
}

function NewRun() {
  return (
    <ButtonLink look="primary" to="/runs/new">
      New run
    </ButtonLink>
  );
}

/** There before their counts are: what is beside and below them stays where it is. */
function chipsOf(counts: Counts | undefined) {
  return STATES.map((state) => ({ value: state, name: runStatus(state).word, count: counts ? (counts[state] ?? 0) : null }));
}

function titleOf(counts: Counts | undefined): string {
  if (!counts) return 'Runs';
  const running = counts.RUNNING ?? 0;
  const failed = (counts.FAILED ?? 0) + (counts.TIMED_OUT ?? 0);
  return `${running ? count(running, 'run') : 'Nothing'} running, ${whole(failed)} failed so far`;
}
