import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';

import type { Schemas } from '../../api/client';
import { datasetDiff } from '../../api/queries';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Loaded } from '../../ui/Loaded';
import { Status, type StatusKind } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { count, figure, percent } from '../../ui/format';

type Diff = Schemas['VersionDiff'];
type Changed = Schemas['ColumnDiff'];

const CHANGES: Record<Schemas['ColumnChange'], { kind: StatusKind; word: string }> = {
  ADDED: { kind: 'watch', word: 'New' },
  REMOVED: { kind: 'bad', word: 'Gone' },
  CHANGED: { kind: 'watch', word: 'Changed' },
  SAME: { kind: 'stopped', word: 'Same' },
};

/** From here on a distribution has moved: two samples of a few hundred rows of one distribution are nearer. */
const MOVED_FROM = 0.1;

function standingOf({ change, distance }: Changed): { kind: StatusKind; word: string } {
  return change === 'SAME' && (distance ?? 0) >= MOVED_FROM ? { kind: 'watch', word: 'Moved' } : CHANGES[change];
}

function differs(column: Changed): boolean {
  return standingOf(column) !== CHANGES.SAME;
}

const COLUMNS: Column<Changed>[] = [
  { key: 'name', name: 'Column', head: true, cell: ({ name }) => name },
  { key: 'change', name: 'Change', cell: (column) => <Status kind={standingOf(column).kind}>{standingOf(column).word}</Status> },
  { key: 'distance', name: 'Distance', align: 'right', cell: ({ distance }) => figure(distance, 3) },
  { key: 'mean', name: 'Mean', align: 'right', cell: ({ before, after }) => fromTo(before?.mean, after?.mean, (value) => figure(value)) },
  { key: 'missing', name: 'Missing', align: 'right', wideOnly: true, cell: ({ before, after }) => fromTo(before?.null_share, after?.null_share, (value) => percent(value)) },
  { key: 'values', name: 'Values', wideOnly: true, cell: ({ new_values, lost_values }) => <span className="clamp">{[...(new_values ?? []).map((each) => `+ ${each}`), ...(lost_values ?? []).map((each) => `− ${each}`)].join(', ')}</span> },
];

/** This version held against another of the dataset; which one stands in the address. */
export function DiffCard({ name, number, others }: { name: string; number: number; others: number[] }) {
  const search = useSearch({ from: '/signed-in/datasets/$name/$version' });
  const navigate = useNavigate();
  if (!others.length && !search.against) return null;
  const choose = (against: number | undefined) => void navigate({ to: '/datasets/$name/$version', params: { name, version: String(number) }, search: { ...search, against }, resetScroll: false });
  const chooser = (
    <select className="field" aria-label="Compare with" value={search.against ?? ''} onChange={(event) => choose(Number(event.target.value) || undefined)}>
      <option value="">Choose a version</option>
      {others.map((version) => (
        <option key={version} value={version}>
          v{version}
        </option>
      ))}
    </select>
  );
  return (
    <Card title="Against another version" aside={chooser} flush={search.against !== undefined}>
      {search.against ? <Differences name={name} from={search.against} to={number} /> : <p className="quiet">Choose a version to see which columns came, went or changed their distribution.</p>}
    </Card>
  );
}

function Differences({ name, from, to }: { name: string; from: number; to: number }) {
  const [all, setAll] = useState(false);
  const query = useQuery(datasetDiff(name, from, to));
  return (
    <Loaded query={query}>
      {({ body }) => {
        const different = body.columns.filter(differs);
        const shown = all ? body.columns : different;
        const same = body.columns.length - different.length;
        return (
          <>
            <div className="body row spread">
              <p>{sentenceOf(body)}</p>
              {same > 0 && (
                <Button look="quiet" aria-pressed={all} onClick={() => setAll(!all)}>
                  {all ? 'Differences only' : `Show ${count(same, 'column')} that stayed the same`}
                </Button>
              )}
            </div>
            {shown.length > 0 && <Table label={`v${from} against v${to}`} columns={COLUMNS} rows={shown} rowKey={(column) => column.name} />}
          </>
        );
      }}
    </Loaded>
  );
}

function sentenceOf({ from_version, to_version, from_rows, to_rows, identical, columns, contract_breaks }: Diff): string {
  if (identical) return `v${from_version} and v${to_version} hold the same bytes.`;
  const changed = columns.filter(differs).length;
  const rows = `v${from_version} has ${count(from_rows, 'row')}, v${to_version} has ${count(to_rows, 'row')}`;
  return `${rows}; ${changed ? `${count(changed, 'column differs', 'columns differ')}` : 'no column differs'}${contract_breaks.length ? `; ${contract_breaks.join('; ')}` : ''}.`;
}

function fromTo(before: number | null | undefined, after: number | null | undefined, shown: (value: number | null | undefined) => string): string {
  if (before == null && after == null) return '';
  return shown(before) === shown(after) ? shown(after) : `${shown(before)} → ${shown(after)}`;
}
