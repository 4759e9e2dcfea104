import Dialog from '@mui/material/Dialog';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, ApiError, done, type Schemas } from '../../api/client';
import { contract as contractQuery } from '../../api/queries';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Labelled } from '../../ui/Labelled';
import { Loaded } from '../../ui/Loaded';
import { Table, type Column } from '../../ui/Table';
import { figure } from '../../ui/format';
import { toast } from '../../ui/toast';
import '../../ui/dialog.css';

type Contract = Schemas['Contract'];
type Expected = Contract['columns'][number];

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
    <Card title={known ? `Contract v${known.body.version}` : 'Contract'} aside={may('scientist') && known && <Button onClick={() => setEditing(true)}>Edit contract…</Button>} flush>
      <Loaded query={query}>{({ body }) => <Table label="Contract" columns={COLUMNS} rows={body.columns} rowKey={(column) => column.name} />}</Loaded>
      {editing && known && <Editor contract={known.body} etag={known.etag} onClose={() => setEditing(false)} />}
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

function Editor({ contract, etag, onClose }: { contract: Contract; etag: string | null; onClose: () => void }) {
  const client = useQueryClient();
  const [seen] = useState(etag);
  const [text, setText] = useState(() => JSON.stringify({ columns: contract.columns, missing_values: contract.missing_values }, null, 2));
  const save = useMutation({
    mutationFn: async () => {
      const body = JSON.parse(text) as Schemas['ContractChange'];
      return done(api.PUT('/datasets/{dataset}/contract', { params: { path: { dataset: contract.dataset }, header: { 'If-Match': seen ?? undefined } }, body }));
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['datasets'] });
      toast(`Contract v${made.version} of ${made.dataset} is in force`);
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby="contract-title" fullWidth maxWidth="md">
      <form className="dialog" onSubmit={submit} noValidate>
        <h2 id="contract-title">Contract of {contract.dataset}</h2>
        <p className="quiet">The next file is held against it. What is there already stays as it was read; v{contract.version} stays readable.</p>
        <Labelled name="As JSON" fault={save.error ? faultOf(save.error) : undefined}>
          {(wiring) => <textarea className="field contract-text" spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} {...wiring} />}
        </Labelled>
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" loading={save.isPending}>
            Put it in force
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function faultOf(error: Error): string {
  if (error instanceof SyntaxError) return `This is no JSON: ${error.message}`;
  if (!(error instanceof ApiError)) return error.message;
  const fields = error.problem.fields?.map(({ field, reason }) => `${field.replace(/^body\./, '')}: ${reason}`) ?? [];
  return fields.length ? fields.join('; ') : error.message;
}
