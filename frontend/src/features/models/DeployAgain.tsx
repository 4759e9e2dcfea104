import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { api, done, idempotencyKey, type Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { DecisionDialog } from '../../ui/DecisionDialog';

/** For an approved version that does not serve: its deployment failed or went back, or another came after it. */
export function DeployAgain({ version }: { version: Schemas['VersionDetail'] }) {
  const [open, setOpen] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  if (!may('approver') || version.approval.state !== 'APPROVED' || version.aliases.includes('champion')) return null;
  const deploy = async (reason: string) => {
    const header = { 'Idempotency-Key': idempotencyKey() };
    const run = await done(api.POST('/models/{version}/deploy', { params: { path: { version: version.id }, header }, body: { reason } }));
    await client.invalidateQueries();
    await navigate({ to: '/runs/$runId', params: { runId: run.run_id } });
  };
  const name = `${version.model} v${version.number}`;
  return (
    <>
      <Button onClick={() => setOpen(true)}>Deploy again…</Button>
      {open && (
        <DecisionDialog title={`Deploy ${name} again?`} act="Deploy again" reason={{ label: 'Why', shortest: 10 }} onAct={deploy} onClose={() => setOpen(false)}>
          {name} is checked and takes requests as after its approval, and becomes the champion if it does well. While a deployment of it goes on, this leads to that one.
        </DecisionDialog>
      )}
    </>
  );
}
