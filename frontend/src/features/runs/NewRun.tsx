import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState, type FormEvent } from 'react';

import { api, ApiError, done, idempotencyKey, type Schemas } from '../../api/client';
import { metricName } from '../../api/metricNames';
import { training } from '../../api/queries';
import { may } from '../../auth/session';
import { Button, ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Facts } from '../../ui/Facts';
import { Labelled } from '../../ui/Labelled';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { count, duration, money, percent } from '../../ui/format';
import { AlgorithmChoice } from './AlgorithmChoice';
import { choicesOf, draftOf, expected, fitting, metricsFor, type Draft } from './newRun';
import './newRun.css';

type Options = Schemas['TrainingOptionsAnswer'];

export default function NewRun() {
  const { dataset } = useSearch({ from: '/signed-in/runs/new' });
  const query = useQuery(training(dataset));
  const [reason, setReason] = useState('');
  return (
    <Page title="Train on a dataset" tab="New run">
      {may('scientist') ? (
        <Loaded query={query}>{({ body }) => (body.dataset ? <Form key={body.dataset} options={body} reason={reason} onReason={setReason} /> : <NoDataset />)}</Loaded>
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

interface FormProps {
  options: Options;
  reason: string;
  onReason: (reason: string) => void;
}

/** Filled in with the dataset's own settings. What was typed stays, whatever the platform answers; a second press repeats the first, by its key. */
function Form({ options, reason, onReason }: FormProps) {
  const search = useSearch({ from: '/signed-in/runs/new' });
  const navigate = useNavigate();
  const client = useQueryClient();
  const [key] = useState(idempotencyKey);
  const [before] = useState(() => draftOf(options.policy, search.version));
  const [draft, setDraft] = useState(before);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const form = useRef<HTMLFormElement>(null);
  const change = (changed: Partial<Draft>) => setDraft((now) => ({ ...now, ...changed }));
  const fault = (field: string) => (error instanceof ApiError ? error.reasonFor(field) : undefined);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [error]);

  const start = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const body = { dataset: options.dataset!, dataset_version: draft.version ? Number(draft.version) : null, reason, training: choicesOf(before, draft) };
      const started = await done(api.POST('/training/start', { params: { header: { 'Idempotency-Key': key } }, body }));
      await client.invalidateQueries({ queryKey: ['runs'] });
      await navigate({ to: '/runs/$runId', params: { runId: started.run_id } });
    } catch (failure) {
      setError(failure as Error);
      setBusy(false);
    }
  };
  const beside = error instanceof ApiError && error.isAbout('dataset_version', 'training');
  return (
    <div className="two">
      <Card title="What to train">
        <form ref={form} className="form" onSubmit={(event) => void start(event)} noValidate>
          <div className="pair">
            <Labelled name="Dataset" note={options.target ? `It predicts ${options.target}` : 'It has no target yet: name one in its settings'}>
              {(wiring) => (
                <select className="field" value={options.dataset!} onChange={(event) => void navigate({ to: '/runs/new', search: { dataset: event.target.value }, replace: true })} {...wiring}>
                  {options.datasets.map(({ name }) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              )}
            </Labelled>
            <Version options={options} value={draft.version} fault={fault('dataset_version')} onChange={(version) => change({ version })} />
          </div>
          <fieldset className="fieldset">
            <legend>Algorithms</legend>
            {fitting(options.algorithms, options.task).map((algorithm) => (
              <AlgorithmChoice key={algorithm.name} algorithm={algorithm} draft={draft} task={options.task} fault={fault} onChange={change} />
            ))}
            {fault('training.algorithms') && <p className="bad">{fault('training.algorithms')}</p>}
          </fieldset>
          <div className="triple">
            <Labelled name="Trials of each" note="The search keeps the best" fault={fault('training.trials')}>
              {(wiring) => <input className="field" inputMode="numeric" value={draft.trials} onChange={(event) => change({ trials: event.target.value })} {...wiring} />}
            </Labelled>
            <Labelled name="Judged by" fault={fault('training.metric')}>
              {(wiring) => (
                <select className="field" value={draft.metric} onChange={(event) => change({ metric: event.target.value })} {...wiring}>
                  <option value="">the usual of its task</option>
                  {metricsFor(options).map((each) => (
                    <option key={each} value={each}>
                      {metricName(each)}
                    </option>
                  ))}
                </select>
              )}
            </Labelled>
            <Labelled name="Machine" fault={fault('training.instance_type')}>
              {(wiring) => (
                <select className="field" value={draft.machine} onChange={(event) => change({ machine: event.target.value })} {...wiring}>
                  {[...new Set([before.machine, ...options.machines])].map((each) => (
                    <option key={each}>{each}</option>
                  ))}
                </select>
              )}
            </Labelled>
          </div>
          <Labelled name="Why, for who reads it later">{(wiring) => <textarea className="field" rows={2} maxLength={2000} value={reason} onChange={(event) => onReason(event.target.value)} {...wiring} />}</Labelled>
          {error && !beside && (
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
      <Expectation options={options} chosen={draft.algorithms} />
    </div>
  );
}

/** The versions that are ready, with what their checks found. */
function Version({ options, value, fault, onChange }: { options: Options; value: string; fault: string | undefined; onChange: (version: string) => void }) {
  const { versions } = options;
  const known = versions.some(({ version }) => String(version) === value);
  const shown = versions.find(({ version }) => String(version) === value) ?? versions[0];
  const checks = shown && `${count(shown.accepted ?? 0, 'row')}, ${percent(shown.quarantined_share)} set aside, ${count(shown.warnings, 'warning')}`;
  return (
    <Labelled name="Version" note={checks ?? 'No version is ready: send a file first'} fault={fault}>
      {(wiring) => (
        <select className="field" value={value} onChange={(event) => onChange(event.target.value)} {...wiring}>
          <option value="">{versions[0] ? `the newest, v${versions[0].version}` : 'none'}</option>
          {!known && value && <option value={value}>v{value}</option>}
          {versions.map(({ version }) => (
            <option key={version} value={version}>
              v{version}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** What it will take, from the runs before, for what is chosen now. */
function Expectation({ options, chosen }: { options: Options; chosen: string[] }) {
  const { estimate } = options;
  const { seconds, cost, unknown } = expected(options, chosen);
  if (!estimate?.runs) {
    return (
      <Card title="What to expect">
        <p className="quiet">Nothing was trained here before, so nothing is known about time and cost.</p>
      </Card>
    );
  }
  return (
    <Card title="What to expect">
      <Facts
        facts={[
          ['Time', seconds === null ? 'not known' : duration(seconds)],
          ['Cost', cost === null ? 'not known' : money(cost)],
          ['Whole runs took', `${duration(estimate.shortest_seconds)} to ${duration(estimate.longest_seconds)}`],
        ]}
      />
      <p className="quiet">
        Medians of {count(estimate.runs, 'run')} {estimate.of_this_dataset ? `on ${estimate.dataset}` : 'on other datasets: this one has none yet'}, with the trials and machines that those had. Prices are list prices.
      </p>
      {unknown.length > 0 && <p className="quiet">Never trained in those: {unknown.join(', ')}.</p>}
    </Card>
  );
}
