import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, ApiError, done, seen, type Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { DecisionDialog } from '../../ui/DecisionDialog';
import { toast } from '../../ui/toast';

interface Props {
  version: Schemas['VersionDetail'];
}

type Deed = 'approve' | 'reject';

/** Approve and reject, for who may; else why not. The tag says which state was seen: who decided first, decided. */
export function Decide({ version }: Props) {
  const [deed, setDeed] = useState<Deed>();
  // An open form stays when somebody else decides meanwhile: it says so when it is sent, and nothing typed is lost.
  if (version.approval.state !== 'PENDING' && !deed) return null;
  if (!may('approver')) return <p className="quiet">Your roles do not include decisions: an approver decides.</p>;
  return (
    <>
      <Button look="danger" onClick={() => setDeed('reject')}>
        Reject…
      </Button>
      <Button look="primary" onClick={() => setDeed('approve')}>
        Approve…
      </Button>
      {deed && <DecisionForm deed={deed} version={version} onClose={() => setDeed(undefined)} />}
    </>
  );
}

function DecisionForm({ deed, version, onClose }: Props & { deed: Deed; onClose: () => void }) {
  const client = useQueryClient();
  const decide = async (reason: string) => {
    const options = { params: { path: { version: version.id }, header: { 'If-Match': seen(version.revision) } }, body: { reason } };
    try {
      await done(deed === 'approve' ? api.PUT('/models/{version}/approve', options) : api.PUT('/models/{version}/reject', options));
    } catch (error) {
      if (error instanceof ApiError && (error.status === 412 || error.status === 409)) {
        await client.invalidateQueries();
        throw new Error(`Someone decided already. ${error.message}`);
      }
      throw error;
    }
    await client.invalidateQueries();
    toast(deed === 'approve' ? `${version.id} is approved: it is being deployed` : `${version.id} is rejected`);
  };
  const name = `${version.model} v${version.number}`;
  return (
    <DecisionDialog
      title={deed === 'approve' ? `Approve ${name}?` : `Reject ${name}?`}
      act={deed === 'approve' ? 'Approve' : 'Reject'}
      danger={deed === 'reject'}
      reason={{ label: 'Why: it is kept with the decision', shortest: 10 }}
      onAct={decide}
      onClose={onClose}
    >
      {deed === 'approve'
        ? `${name} is checked once more in the runtime that serves, then takes requests as the dataset's rollout says, and goes back by itself when it does worse.`
        : `${name} will not serve. Its artefact and its evaluation stay.`}
    </DecisionDialog>
  );
}
