import Dialog from '@mui/material/Dialog';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState, type FormEvent } from 'react';

import { api, ApiError, done, idempotencyKey } from '../../api/client';
import { Button } from '../../ui/Button';
import { Labelled } from '../../ui/Labelled';
import '../../ui/dialog.css';

/** A name, and what is to be predicted if it is known already; all other settings have defaults. */
export function NewDataset({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [target, setTarget] = useState('');
  const [key, setKey] = useState(idempotencyKey);
  const client = useQueryClient();
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const make = useMutation({
    mutationFn: () =>
      done(api.POST('/datasets', { params: { header: { 'Idempotency-Key': key } }, body: { name: name.trim(), settings: target.trim() ? { target: target.trim() } : {} } })),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['datasets'] });
      await navigate({ to: '/datasets/$name', params: { name: made.name } });
    },
    onError: () => {
      setKey(idempotencyKey());
      input.current?.focus();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  };
  const problem = make.error instanceof ApiError ? make.error : undefined;
  const beside = problem?.reasonFor('name') ?? problem?.reasonFor('settings.target');
  return (
    <Dialog open onClose={onClose} aria-labelledby="new-dataset-title" fullWidth maxWidth="sm">
      <form className="dialog" onSubmit={submit} noValidate>
        <h2 id="new-dataset-title">New dataset</h2>
        <Labelled name="Name" fault={problem?.reasonFor('name')} note="Small letters, digits and hyphens, at most 40">
          {(aria) => <input ref={input} className="field" autoFocus maxLength={40} value={name} onChange={(event) => setName(event.target.value)} {...aria} />}
        </Labelled>
        <Labelled name="Target" fault={problem?.reasonFor('settings.target')} note="The column to predict; it can be said later">
          {(aria) => <input className="field" maxLength={200} value={target} onChange={(event) => setTarget(event.target.value)} {...aria} />}
        </Labelled>
        {make.error && !beside && (
          <p className="bad" role="alert">
            {make.error.message}
          </p>
        )}
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" loading={make.isPending}>
            Make the dataset
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
