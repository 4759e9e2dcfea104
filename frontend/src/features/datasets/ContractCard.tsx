import { lazy, Suspense, useState } from 'react';

import type { Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
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
export function ContractCard({ contract }: { contract: Schemas['Contract'] }) {
  const [editing, setEditing] = useState(false);
  return (
    <Card title={`Contract v${contract.version}`} aside={may('scientist') && <EditButton onPress={() => setEditing(true)} />} flush>
      <Table label="Contract" columns={COLUMNS} rows={contract.columns} rowKey={(column) => column.name} />
      {editing && (
        <Suspense>
          <ContractEditor contract={contract} onClose={() => setEditing(false)} />
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
