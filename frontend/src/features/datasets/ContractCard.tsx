import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';

import type { Schemas } from '../../api/client';
import { contract as contractQuery } from '../../api/queries';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Loaded } from '../../ui/Loaded';
import { Table, type Column } from '../../ui/Table';
import { figure } from '../../ui/format';

type Expected = Schemas['Contract']['columns'][number];

// It comes when somebody is about to press its button.
const load = () => import('./ContractEditor');
const ContractEditor = lazy(load);

const COLUMNS: Column<Expected>[] = [
  { key: 'name', name: 'Column', head: true, cell: ({ name }) => name },
  { key: 'kind', name: 'Kind', cell: ({ kind }) => kind },
  { key: 'missing', name: 'May be missing', cell: ({ nullable }) => (nullable ? 'yes' : 'no') },
  { key: 'range', name: 'Range', cell: (column) => rangeOf(column) },
  { key: 'values', name: 'Values', wideOnly: true, cell: ({ categories }) => <span className="clamp">{categories?.join(', ')}</span> },
  { key: 'breaks', name: 'What breaks it', wideOnly: true, cell: (column) => consequence(column) },
];

/** What every row of the next file is held against. */
export function ContractCard({ name }: { name: string }) {
  const query = useQuery(contractQuery(name));
  const [editing, setEditing] = useState(false);
  const known = query.data;
  return (
    <Card title={known ? `Contract v${known.body.version}` : 'Contract'} aside={may('scientist') && known && <EditButton onPress={() => setEditing(true)} />} flush>
      <Loaded query={query}>{({ body }) => <Table label="Contract" columns={COLUMNS} rows={body.columns} rowKey={(column) => column.name} />}</Loaded>
      {editing && known && (
        <Suspense>
          <ContractEditor contract={known.body} etag={known.etag} onClose={() => setEditing(false)} />
        </Suspense>
      )}
    </Card>
  );
}

function rangeOf({ minimum, maximum }: Expected): string {
  const shown = (value: number) => figure(value, Number.isInteger(value) ? 0 : undefined);
  if (minimum == null) return maximum == null ? '' : `to ${shown(maximum)}`;
  return maximum == null ? `from ${shown(minimum)}` : `${shown(minimum)} to ${shown(maximum)}`;
}

function consequence({ range_severity, categories_severity, categories, minimum, maximum }: Expected): string {
  const severities = [minimum == null && maximum == null ? undefined : range_severity, categories ? categories_severity : undefined].filter(Boolean);
  if (!severities.length) return '';
  return severities.includes('error') ? 'the row is set aside' : 'a warning';
}

function EditButton({ onPress }: { onPress: () => void }) {
  return (
    <Button onClick={onPress} onPointerEnter={() => void load()} onFocus={() => void load()}>
      Edit contract…
    </Button>
  );
}
