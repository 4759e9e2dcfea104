import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { api, done, idempotencyKey, type Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { DecisionDialog } from '../../ui/DecisionDialog';
import { toast } from '../../ui/toast';

/** What may be done with a run, by who may. */
export function RunActions({ run }: { run: Schemas['RunDetail'] }) {
  const [stopping, setStopping] = useState(false);
  if (!may('scientist')) return null;
  return (
    <>
      {run.state === 'RUNNING' && run.pipeline !== 'import' && (
        <Button look="danger" onClick={() => setStopping(true)}>
          Stop…
        </Button>
      )}
      {run.state !== 'RUNNING' && run.pipeline === 'training' && <Again runId={run.run_id} />}
      {stopping && <Stop run={run} onClose={() => setStopping(false)} />}
    </>
  );
}

function Stop({ run, onClose }: { run: Schemas['RunDetail']; onClose: () => void }) {
  const client = useQueryClient();
  const stop = async (reason: string) => {
    await done(api.POST('/runs/{run_id}/stop', { params: { path: { run_id: run.run_id }, header: { 'Idempotency-Key': idempotencyKey() } }, body: { reason } }));
    await client.invalidateQueries({ queryKey: ['runs'] });
    toast('The run is being stopped');
  };
  return (
    <DecisionDialog title={`Stop ${run.run_id}?`} act="Stop the run" danger reason={{ label: 'Why', shortest: 3 }} onAct={stop} onClose={onClose}>
      Its jobs end now and register nothing. What earlier runs made stays.
    </DecisionDialog>
  );
}

function Again({ runId }: { runId: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [key] = useState(idempotencyKey);
  const start = async () => {
    setBusy(true);
    try {
      const started = await done(api.POST('/runs/{run_id}/again', { params: { path: { run_id: runId }, header: { 'Idempotency-Key': key } } }));
      await client.invalidateQueries({ queryKey: ['runs'] });
      await navigate({ to: '/runs/$runId', params: { runId: started.run_id } });
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button onClick={() => void start()} loading={busy}>
      Run again
    </Button>
  );
}
