import Dialog from '@mui/material/Dialog';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, ApiError, done, seen, type Schemas } from '../../api/client';
import { Button } from '../../ui/Button';
import { Labelled } from '../../ui/Labelled';
import { toast } from '../../ui/toast';
import { ALGORITHMS, changeOf, draftOf, STRATEGIES, TASKS, type Draft } from './settings';
import '../../ui/dialog.css';

interface Props {
  dataset: Schemas['DatasetDetail'];
  onClose: () => void;
}

/** Filled in once, when it opens: what is fetched meanwhile wipes nothing that was typed. */
export default function SettingsForm({ dataset, onClose }: Props) {
  const client = useQueryClient();
  const [begun] = useState(() => ({ draft: draftOf(dataset.settings), revision: dataset.revision }));
  const [draft, setDraft] = useState(begun.draft);
  const save = useMutation({
    mutationFn: () =>
      done(api.PATCH('/datasets/{dataset}', { params: { path: { dataset: dataset.name }, header: { 'If-Match': seen(begun.revision) } }, body: changeOf(begun.draft, draft) })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['datasets'] });
      toast(`The settings of ${dataset.name} are changed`);
      onClose();
    },
  });
  const set = <Key extends keyof Draft>(key: Key, value: Draft[Key]) => setDraft((before) => ({ ...before, [key]: value }));
  const { fault, others } = faultsOf(save.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  const text = (key: 'target' | 'key' | 'group' | 'exclude' | 'quarantinedPercent' | 'trials', name: string, field: string, note?: string) => (
    <Labelled name={name} note={note} fault={fault(field)}>
      {(wiring) => <input className="field" value={draft[key]} onChange={(event) => set(key, event.target.value)} {...wiring} />}
    </Labelled>
  );
  return (
    <Dialog open onClose={onClose} aria-labelledby="settings-title" fullWidth maxWidth="sm">
      <form className="dialog form" onSubmit={submit} noValidate>
        <h2 id="settings-title">Settings of {dataset.name}</h2>
        <div className="pair">
          {text('target', 'Target', 'target', 'The column to predict')}
          <Choice name="Task" value={draft.task} choices={{ '': 'Found in the data', ...TASKS }} fault={fault('task')} onChange={(task) => set('task', task)} />
          {text('key', 'Key', 'key', 'Columns that name a row, with commas')}
          {text('group', 'Kept together', 'group', 'Rows with the same value are never split')}
        </div>
        {text('exclude', 'Left out', 'exclude', 'Columns that models do not see, with commas')}
        {text('quarantinedPercent', 'Refuse a file with more than this set aside, in %', 'max_quarantined_share')}
        <fieldset className="fieldset">
          <legend>Algorithms</legend>
          <div className="row">
            {Object.entries(ALGORITHMS).map(([value, name]) => (
              <Check key={value} name={name} checked={draft.algorithms.includes(value)} onChange={(on) => set('algorithms', Object.keys(ALGORITHMS).filter((each) => (each === value ? on : draft.algorithms.includes(each))))} />
            ))}
          </div>
          {fault('training.algorithms') && <p className="bad">{fault('training.algorithms')}</p>}
        </fieldset>
        <div className="pair">
          {text('trials', 'Trials of each algorithm', 'training.trials')}
          <Choice name="Goes live" value={draft.strategy} choices={STRATEGIES} fault={fault('deployment.strategy')} onChange={(strategy) => set('strategy', strategy)} />
        </div>
        <Check name="Train on each new version" checked={draft.onNewVersion} onChange={(on) => set('onNewVersion', on)} />
        <Check name="Four eyes: who asked for a training run may not approve what came of it" checked={draft.fourEyes} onChange={(on) => set('fourEyes', on)} />
        {others && (
          <p className="bad" role="alert">
            {others}
          </p>
        )}
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const BESIDE = ['target', 'task', 'key', 'group', 'exclude', 'max_quarantined_share', 'training.algorithms', 'training.trials', 'deployment.strategy'];

/** What is wrong with each input, and what is wrong with none of them. */
function faultsOf(error: Error | null) {
  const fault = (field: string) => (error instanceof ApiError ? error.reasonFor(field) : undefined);
  const others = error && !BESIDE.some(fault) ? (error instanceof ApiError && error.status === 412 ? `Somebody changed them meanwhile: close this and look again. ${error.message}` : error.message) : undefined;
  return { fault, others };
}

function Choice({ name, value, choices, fault, onChange }: { name: string; value: string; choices: Record<string, string>; fault?: string; onChange: (value: string) => void }) {
  return (
    <Labelled name={name} fault={fault}>
      {(wiring) => (
        <select className="field" value={value} onChange={(event) => onChange(event.target.value)} {...wiring}>
          {Object.entries(choices).map(([each, word]) => (
            <option key={each} value={each}>
              {word}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

function Check({ name, checked, onChange }: { name: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label className="checked">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      {name}
    </label>
  );
}
