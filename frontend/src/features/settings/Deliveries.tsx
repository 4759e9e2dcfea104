import Dialog from '@mui/material/Dialog';
import { useQuery } from '@tanstack/react-query';

import type { Schemas } from '../../api/client';
import { deliveries } from '../../api/settingsQueries';
import { deliveryStatus } from '../../api/states';
import { Button } from '../../ui/Button';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded, Skeleton } from '../../ui/Loaded';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import '../../ui/dialog.css';

type Delivery = Schemas['DeliveryAnswer'];

const COLUMNS: Column<Delivery>[] = [
  { key: 'event', name: 'What', head: true, cell: ({ event }) => event },
  { key: 'state', name: 'State', cell: ({ state }) => <State state={state} /> },
  { key: 'attempts', name: 'Attempts', align: 'right', wideOnly: true, cell: ({ attempts }) => attempts },
  { key: 'said', name: 'Answer', wideOnly: true, cell: ({ status, reason }) => reason ?? (status ? `HTTP ${status}` : '') },
  { key: 'at', name: 'Made', cell: ({ created_at }) => <Time at={created_at} /> },
];

/** What was told to a channel, latest first. */
export function Deliveries({ channel, onClose }: { channel: Schemas['ChannelAnswer']; onClose: () => void }) {
  const query = useQuery(deliveries(channel.channel_id));
  return (
    <Dialog open onClose={onClose} aria-labelledby="deliveries-title" fullWidth maxWidth="md">
      <div className="dialog">
        <h2 id="deliveries-title">Told to {channel.name}</h2>
        <Loaded query={query} skeleton={<Skeleton height={120} />}>
          {({ body }) => (body.items.length ? <Table label="Deliveries" columns={COLUMNS} rows={body.items} rowKey={(each) => each.delivery_id} /> : <EmptyState title="Nothing was told here yet" icon="list" />)}
        </Loaded>
        <div className="row end">
          <Button onClick={onClose} autoFocus>
            Close
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function State({ state }: { state: Delivery['state'] }) {
  const { kind, word } = deliveryStatus(state);
  return <Status kind={kind}>{word}</Status>;
}
