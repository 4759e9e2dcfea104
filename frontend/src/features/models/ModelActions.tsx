import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, done, idempotencyKey, type Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { DecisionDialog } from '../../ui/DecisionDialog';
import { toast } from '../../ui/toast';

interface Props {
  model: Schemas['ModelSummary'];
  etag: string | null;
}

/** One call takes a bad version out: the champion before it serves within seconds. */
export function ModelActions({ model }: Props) {
  const [open, setOpen] = useState(false);
  const client = useQueryClient();
  if (!may('approver') || !model.champion) return null;
  const { champion, rollout } = model;
  const path = rollout ? '/models/{model}/rollout/abort' : '/models/{model}/rollback';
  const act = async (reason: string) => {
    await done(api.POST(path, { params: { path: { model: model.name }, header: { 'Idempotency-Key': idempotencyKey() } }, body: { reason } }));
    await client.invalidateQueries();
    toast(rollout ? `${rollout.version} takes no more requests` : `${model.name} serves the champion before ${champion.id}`);
  };
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        {rollout ? 'End the rollout…' : 'Roll back…'}
      </Button>
      {open && (
        <DecisionDialog title={rollout ? `End the rollout of ${rollout.version}?` : `Roll ${model.name} back?`} act={rollout ? 'End the rollout' : 'Roll back'} danger reason={{ label: 'Why', shortest: 10 }} onAct={act} onClose={() => setOpen(false)}>
          {rollout ? `All requests go to ${champion.id} again within seconds.` : `The champion before ${champion.id} answers within seconds. ${champion.id} stays approved and can be put back.`}
        </DecisionDialog>
      )}
    </>
  );
}
