import type { Schemas } from '../../api/client';
import { api, done, idempotencyKey } from '../../api/client';
import { FormDialog } from './FormDialog';

/** What to do, and when. */
export function NewSchedule({ onMade, onClose }: { onMade: () => unknown; onClose: () => void }) {
  const make = async (said: FormData) => {
    const text = (name: string) => String(said.get(name) ?? '').trim();
    const body = { name: text('name'), action: text('action') as Schemas['ScheduledAction'], about: text('about'), expression: text('expression'), timezone: text('timezone') };
    await done(api.POST('/schedules', { params: { header: { 'Idempotency-Key': idempotencyKey() } }, body }));
    await onMade();
    onClose();
  };
  return (
    <FormDialog title="New schedule" act="Make the schedule" onSend={make} onClose={onClose}>
      <label className="labelled">
        <span>Name</span>
        <input className="field" name="name" autoFocus maxLength={80} placeholder="Every Monday morning" />
      </label>
      <label className="labelled">
        <span>What to do</span>
        <select className="field" name="action">
          <option value="train">Train on a dataset</option>
          <option value="score">Score the newest data with a model</option>
        </select>
      </label>
      <label className="labelled">
        <span>The dataset or the model</span>
        <input className="field" name="about" maxLength={40} />
      </label>
      <label className="labelled">
        <span>When: rate(12 hours), or cron(0 6 ? * MON *)</span>
        <input className="field mono" name="expression" defaultValue="rate(1 day)" />
      </label>
      <label className="labelled">
        <span>Time zone</span>
        <input className="field" name="timezone" defaultValue={Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'} />
      </label>
    </FormDialog>
  );
}
