import Dialog from '@mui/material/Dialog';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';

import { api, done, idempotencyKey, type Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import '../../ui/dialog.css';

const DAY_MS = 86_400_000;
const DAYS = [1, 7, 31];

/** Look now instead of waiting for tonight: at the requests of some days, or at two versions of the dataset. */
export function CheckNow({ model, champion }: { model: string; champion: boolean }) {
  const [open, setOpen] = useState(false);
  if (!may('scientist')) return null;
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        Check now…
      </Button>
      {open && <CheckForm model={model} champion={champion} onClose={() => setOpen(false)} />}
    </>
  );
}

function CheckForm({ model, champion, onClose }: { model: string; champion: boolean; onClose: () => void }) {
  const [about, setAbout] = useState<'requests' | 'versions'>(champion ? 'requests' : 'versions');
  const [key] = useState(idempotencyKey);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const client = useQueryClient();
  const navigate = useNavigate();
  const start = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const said = new FormData(event.currentTarget);
    setBusy(true);
    setFault(undefined);
    try {
      const run = await done(api.POST('/monitoring/drift', { params: { header: { 'Idempotency-Key': key } }, body: { model, ...windowOf(said) } }));
      await client.invalidateQueries({ queryKey: ['runs'] });
      await navigate({ to: '/runs/$runId', params: { runId: run.run_id } });
    } catch (failure) {
      setFault(failure instanceof Error ? failure.message : String(failure));
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby="check-title" fullWidth maxWidth="sm">
      <form className="dialog" onSubmit={(event) => void start(event)} noValidate>
        <h2 id="check-title">Check {model} for drift</h2>
        <label className="labelled">
          <span>What to look at</span>
          <select className="field" name="about" value={about} onChange={(event) => setAbout(event.target.value as typeof about)} autoFocus>
            <option value="requests">Requests that the live version answered</option>
            <option value="versions">Two versions of its dataset</option>
          </select>
        </label>
        {about === 'requests' ? (
          <label className="labelled">
            <span>Of the last</span>
            <select className="field" name="days">
              {DAYS.map((days) => (
                <option key={days} value={days}>
                  {days === 1 ? '24 hours' : `${days} days`}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <div className="columns">
            <label className="labelled">
              <span>Version that it was</span>
              <input className="field" name="baseline" inputMode="numeric" defaultValue="1" />
            </label>
            <label className="labelled">
              <span>Version that it is now</span>
              <input className="field" name="window" inputMode="numeric" />
            </label>
          </div>
        )}
        {fault && (
          <p className="bad" role="alert">
            {fault}
          </p>
        )}
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" loading={busy}>
            Check
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function windowOf(said: FormData): Omit<Schemas['DriftCheck'], 'model'> {
  if (said.get('about') === 'versions') return { dataset_versions: { baseline: Number(said.get('baseline')), window: Number(said.get('window')) } };
  const until = Date.now();
  return { first: new Date(until - Number(said.get('days')) * DAY_MS).toISOString(), until: new Date(until).toISOString() };
}
