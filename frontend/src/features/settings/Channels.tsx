import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, done, type Schemas } from '../../api/client';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DecisionDialog } from '../../ui/DecisionDialog';
import { EmptyState } from '../../ui/EmptyState';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { toast } from '../../ui/toast';
import { Deliveries } from './Deliveries';
import { NewChannel } from './NewChannel';

type Channel = Schemas['ChannelAnswer'];

/** Where alerts are told. */
export function Channels({ channels }: { channels: Channel[] }) {
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<Channel>();
  const [looking, setLooking] = useState<Channel>();
  const client = useQueryClient();
  const renew = () => client.invalidateQueries({ queryKey: ['settings'] });
  const failed = (error: Error) => toast(error.message);
  const tried = useMutation({
    mutationFn: ({ channel_id }: Channel) => done(api.POST('/channels/{channel_id}/test', { params: { path: { channel_id } } })),
    onSuccess: (_, { name }) => {
      toast(`A test is on its way to ${name}: its deliveries say what came of it.`);
      return renew();
    },
    onError: failed,
  });
  const switched = useMutation({
    mutationFn: ({ channel_id, enabled }: Channel) => done(api.PATCH('/channels/{channel_id}', { params: { path: { channel_id } }, body: { enabled: !enabled } })),
    onSuccess: renew,
    onError: failed,
  });
  const remove = async ({ channel_id, name }: Channel) => {
    await done(api.DELETE('/channels/{channel_id}', { params: { path: { channel_id } } }));
    toast(`${name} is told nothing any more.`);
    await renew();
  };
  const acts = (channel: Channel) => (
    <span className="row end">
      <Button look="quiet" onClick={() => setLooking(channel)} aria-label={`Deliveries of ${channel.name}`}>
        Deliveries
      </Button>
      {may('admin') && (
        <>
          <Button look="quiet" onClick={() => tried.mutate(channel)} aria-label={`Test ${channel.name}`}>
            Test
          </Button>
          <Button look="quiet" onClick={() => switched.mutate(channel)} aria-label={`Switch ${channel.name} ${channel.enabled ? 'off' : 'on'}`}>
            {channel.enabled ? 'Switch off' : 'Switch on'}
          </Button>
          <Button look="quiet" onClick={() => setDeleting(channel)} aria-label={`Delete ${channel.name}`}>
            Delete…
          </Button>
        </>
      )}
    </span>
  );
  const columns: Column<Channel>[] = [...COLUMNS, { key: 'acts', name: 'Acts', hideName: true, align: 'right', cell: acts }];
  return (
    <Card title="Notification channels" aside={may('admin') && <Button onClick={() => setMaking(true)}>New channel…</Button>} flush>
      {channels.length ? (
        <Table label="Notification channels" columns={columns} rows={channels} rowKey={(each) => each.channel_id} />
      ) : (
        <EmptyState title="No channel yet" icon="triangle">
          <p className="quiet">A channel tells alerts to an e-mail address, to Slack, or to a webhook, which it signs for.</p>
        </EmptyState>
      )}
      {making && <NewChannel onClose={() => setMaking(false)} onMade={renew} />}
      {looking && <Deliveries channel={looking} onClose={() => setLooking(undefined)} />}
      {deleting && (
        <DecisionDialog title={`Delete ${deleting.name}?`} act="Delete" danger onAct={() => remove(deleting)} onClose={() => setDeleting(undefined)}>
          <p>Nothing is told there any more, not even what waits. Its secret is deleted.</p>
        </DecisionDialog>
      )}
    </Card>
  );
}

const COLUMNS: Column<Channel>[] = [
  { key: 'name', name: 'Name', head: true, cell: ({ name }) => name },
  { key: 'state', name: 'State', cell: ({ enabled }) => (enabled ? <Status kind="good">On</Status> : <Status kind="stopped">Off</Status>) },
  { key: 'kind', name: 'Kind', wideOnly: true, cell: ({ kind }) => kind },
  { key: 'address', name: 'Address', wideOnly: true, cell: ({ address }) => address },
];
