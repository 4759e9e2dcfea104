import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { whole } from '../../ui/format';
import { checksOf, type Check } from './checks';

const COLUMNS: Column<Check>[] = [
  { key: 'verdict', name: 'Check', cell: ({ kind }) => <Status kind={LOOKS[kind].kind}>{LOOKS[kind].word}</Status> },
  { key: 'column', name: 'Column', head: true, cell: ({ column }) => column || <span className="quiet">the file</span> },
  { key: 'rule', name: 'Rule', cell: ({ rule }) => <span className="break">{rule}</span> },
  { key: 'rows', name: 'Rows', align: 'right', cell: ({ rows }) => (rows === null ? '' : whole(rows)) },
];

const LOOKS = { failed: { kind: 'bad', word: 'Failed' }, warned: { kind: 'watch', word: 'Warning' } } as const;

/** What is wrong with the version, worst first: the column and the rule that it broke. */
export function Checks({ version }: { version: Schemas['DatasetVersionDetail'] }) {
  const checks = checksOf(version);
  if (version.state === 'PREPARING') return null;
  return (
    <Card title="Checks" flush={checks.length > 0}>
      {checks.length ? <Table label="Checks" columns={COLUMNS} rows={checks} rowKey={({ column, rule, kind }) => `${kind} ${column} ${rule}`} /> : <Status kind="good">Every row kept the contract</Status>}
    </Card>
  );
}
