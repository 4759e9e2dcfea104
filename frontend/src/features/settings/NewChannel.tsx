import Dialog from '@mui/material/Dialog';
import { useState } from 'react';

import { api, done, type Schemas } from '../../api/client';
import { Button } from '../../ui/Button';
import { FormDialog } from './FormDialog';

/** Kind, name and address; a webhook's secret is shown once. */
export function NewChannel({ onMade, onClose }: { onMade: () => unknown; onClose: () => void }) {
  const [made, setMade] = useState<Schemas['CreatedChannel']>();
  const make = async (said: FormData) => {
    const text = (name: string) => String(said.get(name) ?? '').trim();
    const channel = await done(api.POST('/channels', { body: { kind: text('kind') as Schemas['ChannelKind'], name: text('name'), address: text('address'), kinds: [] } }));
    await onMade();
    if (channel.secret) setMade(channel);
    else onClose();
  };
  if (made) return <Secret channel={made} onClose={onClose} />;
  return (
    <FormDialog title="New channel" act="Make the channel" onSend={make} onClose={onClose}>
      <label className="labelled">
        <span>Kind</span>
        <select className="field" name="kind" autoFocus>
          <option value="email">E-mail: its owner is asked to confirm</option>
          <option value="slack">Slack: an incoming webhook</option>
          <option value="webhook">Webhook, signed</option>
        </select>
      </label>
      <label className="labelled">
        <span>Name</span>
        <input className="field" name="name" maxLength={60} placeholder="on-call" />
      </label>
      <label className="labelled">
        <span>Address: of the mailbox, or an https URL</span>
        <input className="field" name="address" maxLength={2000} />
      </label>
    </FormDialog>
  );
}

function Secret({ channel, onClose }: { channel: Schemas['CreatedChannel']; onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} aria-labelledby="channel-secret" fullWidth maxWidth="sm">
      <div className="dialog">
        <h2 id="channel-secret">{channel.name} is made</h2>
        <p>Its messages are signed with this secret, as Standard Webhooks are. It is shown this once.</p>
        <label className="labelled">
          <span>Secret</span>
          <input className="field mono" readOnly value={channel.secret ?? ''} onFocus={(event) => event.target.select()} />
        </label>
        <div className="row end">
          <Button look="primary" onClick={onClose} autoFocus>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
