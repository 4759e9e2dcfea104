import Dialog from '@mui/material/Dialog';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, ApiError, done, seen, type Schemas } from '../../api/client';
import { Button } from '../../ui/Button';
import { Labelled } from '../../ui/Labelled';
import { toast } from '../../ui/toast';
import '../../ui/dialog.css';

type Contract = Schemas['Contract'];

/** The whole contract as text; what is wrong with it is said beside it. */
export default function ContractEditor({ contract, onClose }: { contract: Contract; onClose: () => void }) {
  const client = useQueryClient();
  const [begun] = useState(contract.version);
  const [text, setText] = useState(() => JSON.stringify({ columns: contract.columns, missing_values: contract.missing_values }, null, 2));
  const save = useMutation({
    mutationFn: async () => {
      const body = JSON.parse(text) as Schemas['ContractChange'];
      return done(api.PUT('/datasets/{dataset}/contract', { params: { path: { dataset: contract.dataset }, header: { 'If-Match': seen(begun) } }, body }));
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
