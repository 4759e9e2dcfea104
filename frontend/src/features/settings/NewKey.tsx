import Dialog from '@mui/material/Dialog';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, ApiError, done } from '../../api/client';
import { Button } from '../../ui/Button';
import { toast } from '../../ui/toast';
import '../../ui/dialog.css';

const DAYS = [7, 30, 90, 365];

interface Props {
  onMade: () => unknown;
  onClose: () => void;
}

/** Name and life of a key, then its token: once, to be copied. */
export function NewKey({ onMade, onClose }: Props) {
  const [name, setName] = useState('');
  const [days, setDays] = useState(30);
  const make = useMutation({ mutationFn: () => done(api.POST('/api-keys', { body: { name: name.trim(), days } })), onSuccess: () => void onMade() });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  };
  const fault = make.error instanceof ApiError ? (make.error.reasonFor('name') ?? make.error.message) : make.error?.message;
  return (
    <Dialog open onClose={onClose} aria-labelledby="new-key-title" fullWidth maxWidth="sm">
      {make.data ? (
        <Token token={make.data.token} name={make.data.name} onClose={onClose} />
      ) : (
        <form className="dialog" onSubmit={submit} noValidate>
          <h2 id="new-key-title">New API key</h2>
          <label className="labelled">
            <span>Name</span>
            <input className="field" autoFocus maxLength={80} placeholder="nightly scoring" value={name} onChange={(event) => setName(event.target.value)} aria-invalid={fault ? true : undefined} aria-describedby={fault ? 'new-key-fault' : undefined} />
          </label>
          <label className="labelled">
            <span>Good for</span>
            <select className="field" value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {DAYS.map((each) => (
                <option key={each} value={each}>
                  {each} days
                </option>
              ))}
            </select>
          </label>
          {fault && (
            <p id="new-key-fault" className="bad" role="alert">
              {fault}
            </p>
          )}
          <div className="row end">
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" look="primary" loading={make.isPending}>
              Make the key
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function Token({ token, name, onClose }: { token: string; name: string; onClose: () => void }) {
  const copy = async () => {
    await navigator.clipboard.writeText(token);
    toast('Copied.');
  };
  return (
    <div className="dialog">
      <h2 id="new-key-title">{name} is made</h2>
      <p>This is the only time that it is shown. Keep it where secrets are kept.</p>
      <label className="labelled">
        <span>Token</span>
        <input className="field mono" readOnly value={token} onFocus={(event) => event.target.select()} />
      </label>
      <div className="row end">
        <Button onClick={() => void copy()}>Copy</Button>
        <Button look="primary" onClick={onClose} autoFocus>
          Done
        </Button>
      </div>
    </div>
  );
}
