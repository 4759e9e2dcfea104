import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useRef, useState, type FormEvent } from 'react';

import { api, ApiError, done, idempotencyKey, type Schemas } from '../../api/client';
import { training } from '../../api/queries';
import { may } from '../../auth/session';
import { Button, ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Facts } from '../../ui/Facts';
import { Loaded, Skeleton } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { count, duration, money } from '../../ui/format';
import './newRun.css';

type Known = Schemas['TrainingScreen'];

export default function NewRun() {
  const { dataset } = useSearch({ from: '/signed-in/runs/new' });
  const query = useQuery(training(dataset));
  return (
    <Page title="Train on a dataset" tab="New run">
      {may('scientist') ? (
        <Loaded query={query}>{({ body }) => (body.datasets.length ? <Form {...body} /> : <NoDataset />)}</Loaded>
      ) : (
        <Card>
          <EmptyState title="Starting a run is for scientists" icon="question">
            <p>Your roles let you look at runs. An administrator can add the role scientist.</p>
          </EmptyState>
        </Card>
      )}
    </Page>
  );
}

function NoDataset() {
  return (
    <Card>
      <EmptyState title="There is no dataset to train on yet" icon="list" />
    </Card>
  );
}

/** What was typed stays, whatever the platform answers; a second press repeats the first, by its key. */
function Form({ datasets: known, estimate }: Known) {
  const search = useSearch({ from: '/signed-in/runs/new' });
  const navigate = useNavigate();
  const client = useQueryClient();
  const [key] = useState(idempotencyKey);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const form = useRef<HTMLFormElement>(null);
  const chosen = search.dataset ?? known[0]!;
  const names = known.includes(chosen) ? known : [chosen, ...known];

  const start = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const said = new FormData(form.current!);
    const version = String(said.get('version') ?? '').trim();
    setBusy(true);
    setError(undefined);
    try {
      const started = await done(
        api.POST('/training/start', {
          params: { header: { 'Idempotency-Key': key } },
          body: { dataset: chosen, dataset_version: version ? Number(version) : null, reason: String(said.get('reason') ?? '') },
        }),
      );
      await client.invalidateQueries({ queryKey: ['runs'] });
      await navigate({ to: '/runs/$runId', params: { runId: started.run_id } });
    } catch (failure) {
      setError(failure as Error);
      setBusy(false);
      if (fault(failure, 'dataset_version')) form.current?.querySelector<HTMLElement>('[name=version]')?.focus();
    }
  };
  return (
    <div className="two">
      <Card title="What to train on">
        <form ref={form} className="form" onSubmit={(event) => void start(event)} noValidate>
          <label className="labelled">
            <span>Dataset</span>
            <select className="field" value={chosen} onChange={(event) => void navigate({ to: '/runs/new', search: { dataset: event.target.value }, replace: true })}>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label className="labelled">
            <span>Version; empty is the newest that is ready</span>
            <input className="field" name="version" inputMode="numeric" defaultValue={search.version ?? ''} aria-invalid={fault(error, 'dataset_version') ? true : undefined} aria-describedby="version-fault" />
            <span id="version-fault" className="bad">
              {fault(error, 'dataset_version')}
            </span>
          </label>
          <label className="labelled">
            <span>Why, for who reads it later</span>
            <textarea className="field" name="reason" rows={3} maxLength={2000} />
          </label>
          {error && !fault(error, 'dataset_version') && (
            <p className="bad" role="alert">
              {error.message}
            </p>
          )}
          <div className="row end">
            <ButtonLink to="/runs">Cancel</ButtonLink>
            <Button type="submit" look="primary" loading={busy}>
              Start training
            </Button>
          </div>
        </form>
      </Card>
      <Estimate found={estimate?.dataset === chosen ? estimate : undefined} />
    </div>
  );
}

/** What it will take, from the runs before; of another dataset that was just chosen it is about to come. */
function Estimate({ found }: { found: Known['estimate'] | undefined }) {
  return (
    <Card title="What to expect">
      {!found ? (
        <Skeleton height={120} />
      ) : found.runs === 0 ? (
        <p className="quiet">Nothing was trained here before, so nothing is known about time and cost.</p>
      ) : (
        <>
          <Facts
            facts={[
              ['Time', `${duration(found.seconds)} (${duration(found.shortest_seconds)} to ${duration(found.longest_seconds)})`],
              ['Cost', money(found.cost_usd)],
            ]}
          />
          <p className="quiet">
            Medians of {count(found.runs, 'run')} {found.of_this_dataset ? `on ${found.dataset}` : 'on other datasets: this one has none yet'}. Prices are list prices.
          </p>
        </>
      )}
    </Card>
  );
}

function fault(error: unknown, field: string): string | undefined {
  return error instanceof ApiError ? error.reasonFor(field) : undefined;
}
