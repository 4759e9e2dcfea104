import { lazy, Suspense, useState } from 'react';

import type { Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { percent } from '../../ui/format';
import { STRATEGIES, TASKS } from './settings';

// It comes when somebody is about to press its button.
const load = () => import('./SettingsForm');
const SettingsForm = lazy(load);

/** What people decided about the dataset. */
export function SettingsCard({ dataset }: { dataset: Schemas['DatasetDetail'] }) {
  const [editing, setEditing] = useState(false);
  const { settings } = dataset;
  const { training, deployment } = settings;
  return (
    <Card title="Settings" aside={may('scientist') && <EditButton onPress={() => setEditing(true)} />} flush>
      <Facts
        facts={[
          ['Target', settings.target ?? 'none yet'],
          ['Task', settings.task ? TASKS[settings.task] : 'found in the data'],
          ['Key', settings.key?.join(', ')],
          ['Kept together', settings.group],
          ['Left out', settings.exclude?.join(', ')],
          ['Refused above', `${percent(settings.max_quarantined_share, 0)} set aside`],
          ['Trains', training?.on_new_version ? 'on each new version' : 'when asked to'],
          ['Algorithms', training?.algorithms?.join(', ')],
          ['Trials of each', training?.trials],
          ['Goes live', deployment?.strategy && STRATEGIES[deployment.strategy]],
          ['Four eyes', settings.four_eyes ? 'yes: nobody approves what they asked for' : 'no'],
        ]}
      />
      {editing && (
        <Suspense>
          <SettingsForm dataset={dataset} onClose={() => setEditing(false)} />
        </Suspense>
      )}
    </Card>
  );
}

function EditButton({ onPress }: { onPress: () => void }) {
  return (
    <Button onClick={onPress} onPointerEnter={() => void load()} onFocus={() => void load()}>
      Edit settings…
    </Button>
  );
}
