import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, done, idempotencyKey, type Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { DecisionDialog } from '../../ui/DecisionDialog';
import { toast } from '../../ui/toast';

interface Props {
  alert: Schemas['AlertDetail'];
  etag: string | null;
}

type Deed = 'acknowledge' | 'snooze' | 'close';

const DEEDS: Record<Deed, { title: string; act: string; done: string; says: string }> = {
  acknowledge: { title: 'Take this alert on?', act: 'Take it on', done: 'It is yours now', says: 'Others see that you are on it. It stays until it is closed.' },
  snooze: { title: 'Snooze this alert?', act: 'Snooze', done: 'It is quiet until then', says: 'What is noticed until then is counted and told to nobody. Noticed after it, the alert is open again.' },
  close: { title: 'Close this alert?', act: 'Close it', done: 'It is closed', says: 'When its cause is noticed again, another alert opens.' },
};

const DAY_MS = 86_400_000;

/** Take it on, be quiet about it until a time, or close it: each with a reason, which is kept. */
export function AlertActions({ alert, etag }: Props) {
  const [deed, setDeed] = useState<Deed>();
  const close = () => setDeed(undefined);
  if (!deed && alert.state === 'CLOSED') return null;
  if (!may('scientist') && !may('approver')) return <p className="quiet">Your roles let you look at alerts.</p>;
  return (
    <>
      {alert.state !== 'ACKNOWLEDGED' && <Button onClick={() => setDeed('acknowledge')}>Take on…</Button>}
      <Button onClick={() => setDeed('snooze')}>Snooze…</Button>
      <Button onClick={() => setDeed('close')}>Close…</Button>
      {deed && <DeedForm deed={deed} alert={alert} etag={etag} onClose={close} />}
    </>
  );
}

function DeedForm({ deed, alert, etag, onClose }: Props & { deed: Deed; onClose: () => void }) {
  const [until, setUntil] = useState(() => localTime(new Date(Date.now() + DAY_MS)));
  const client = useQueryClient();
  const words = DEEDS[deed];
  const act = async (reason: string) => {
    const params = { path: { alert_id: alert.alert_id }, header: { 'If-Match': etag ?? '*', 'Idempotency-Key': idempotencyKey() } };
    if (deed === 'snooze') {
      const end = new Date(until);
      if (Number.isNaN(end.getTime())) throw new Error('Say until when: a day and a time.');
      await done(api.POST('/alerts/{alert_id}/snooze', { params, body: { reason, until: end.toISOString() } }));
    } else if (deed === 'acknowledge') {
      await done(api.POST('/alerts/{alert_id}/acknowledge', { params, body: { reason } }));
    } else {
      await done(api.POST('/alerts/{alert_id}/close', { params, body: { reason } }));
    }
    await client.invalidateQueries({ queryKey: ['alerts'] });
    toast(words.done);
  };
  return (
    <DecisionDialog title={words.title} act={words.act} reason={{ label: 'Why', shortest: 3 }} onAct={act} onClose={onClose}>
      <div className="stack">
        <p>{words.says}</p>
        {deed === 'snooze' && (
          <label className="labelled">
            <span>Until, at most 30 days from now</span>
            <input className="field" type="datetime-local" value={until} onChange={(event) => setUntil(event.target.value)} />
          </label>
        )}
      </div>
    </DecisionDialog>
  );
}

/** As inputs of a day and a time have it: the reader's zone, to the minute. */
function localTime(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
