import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { api, done, idempotencyKey, type Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DecisionDialog } from '../../ui/DecisionDialog';
import { EmptyState } from '../../ui/EmptyState';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { moment } from '../../ui/format';
import { toast } from '../../ui/toast';
import { NewSchedule } from './NewSchedule';

type Schedule = Schemas['ScheduleSummary'];

export const ACTIONS: Record<Schemas['ScheduledAction'], string> = { train: 'Train on', score: 'Score with', check_drift: 'Check drift of' };

/** What the platform does by the clock. */
export function Schedules({ schedules }: { schedules: Schedule[] }) {
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<Schedule>();
  const client = useQueryClient();
  const renew = () => client.invalidateQueries({ queryKey: ['settings'] });
  const failed = (error: Error) => toast(error.message);
  const switched = useMutation({
    mutationFn: ({ schedule_id, state }: Schedule) => done(api.PATCH('/schedules/{schedule_id}', { params: { path: { schedule_id } }, body: { state: state === 'ACTIVE' ? 'PAUSED' : 'ACTIVE' } as Schemas['ScheduleChanges'] })),
    onSuccess: renew,
    onError: failed,
  });
  const started = useMutation({
    mutationFn: ({ schedule_id }: Schedule) => done(api.POST('/schedules/{schedule_id}/run', { params: { path: { schedule_id }, header: { 'Idempotency-Key': idempotencyKey() } } })),
    onSuccess: ({ outcome, reason }) => {
      toast(outcome === 'STARTED' ? 'It runs now.' : (reason ?? 'It could not be started.'));
      return renew();
    },
    onError: failed,
  });
  const remove = async ({ schedule_id, name }: Schedule) => {
    await done(api.DELETE('/schedules/{schedule_id}', { params: { path: { schedule_id } } }));
    toast(`${name} is deleted.`);
    await renew();
  };
  const acts = (schedule: Schedule) => (
    <span className="row end">
      <Button look="quiet" onClick={() => started.mutate(schedule)} aria-label={`Run ${schedule.name} now`}>
        Run now
      </Button>
      <Button look="quiet" onClick={() => switched.mutate(schedule)} aria-label={`${schedule.state === 'ACTIVE' ? 'Pause' : 'Resume'} ${schedule.name}`}>
        {schedule.state === 'ACTIVE' ? 'Pause' : 'Resume'}
      </Button>
      <Button look="quiet" onClick={() => setDeleting(schedule)} aria-label={`Delete ${schedule.name}`}>
        Delete…
      </Button>
    </span>
  );
  const columns = may('scientist') ? [...COLUMNS, { key: 'acts', name: 'Acts', hideName: true, align: 'right', cell: acts } satisfies Column<Schedule>] : COLUMNS;
  return (
    <Card title="Schedules" aside={may('scientist') && <Button onClick={() => setMaking(true)}>New schedule…</Button>} flush>
      {schedules.length ? (
        <Table label="Schedules" columns={columns} rows={schedules} rowKey={(each) => each.schedule_id} />
      ) : (
        <EmptyState title="Nothing is done by the clock" icon="clock">
          <p className="quiet">A schedule trains, scores or checks for drift at the times that you say.</p>
        </EmptyState>
      )}
      {making && <NewSchedule onClose={() => setMaking(false)} onMade={renew} />}
      {deleting && (
        <DecisionDialog title={`Delete ${deleting.name}?`} act="Delete" danger onAct={() => remove(deleting)} onClose={() => setDeleting(undefined)}>
          <p>It is never due again. The runs that it started stay.</p>
        </DecisionDialog>
      )}
    </Card>
  );
}

const COLUMNS: Column<Schedule>[] = [
  { key: 'name', name: 'Name', head: true, cell: ({ name }) => name },
  { key: 'state', name: 'State', cell: ({ state }) => (state === 'ACTIVE' ? <Status kind="good">Active</Status> : <Status kind="stopped">Paused</Status>) },
  { key: 'does', name: 'Does', wideOnly: true, cell: ({ action, about }) => `${ACTIONS[action]} ${about}` },
  { key: 'when', name: 'When', wideOnly: true, cell: ({ expression, timezone }) => <span className="mono">{`${expression} ${timezone}`}</span> },
  { key: 'next', name: 'Next', wideOnly: true, cell: ({ next_at }) => (next_at ? moment(next_at) : <span className="quiet">not while paused</span>) },
  { key: 'last', name: 'Last', wideOnly: true, cell: ({ last_firing }) => <Last firing={last_firing} /> },
];

function Last({ firing }: { firing: Schedule['last_firing'] }) {
  if (!firing) return <span className="quiet">never</span>;
  if (!firing.run_id) return <span title={firing.reason ?? undefined}>refused</span>;
  return (
    <Link to="/runs/$runId" params={{ runId: firing.run_id }}>
      <Time at={firing.fired_at} />
    </Link>
  );
}
