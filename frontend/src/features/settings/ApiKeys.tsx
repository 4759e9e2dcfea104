import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, done, type Schemas } from '../../api/client';
import { allApiKeys } from '../../api/settingsQueries';
import { may } from '../../auth/session';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DecisionDialog } from '../../ui/DecisionDialog';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Status } from '../../ui/Status';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { day } from '../../ui/format';
import { toast } from '../../ui/toast';
import { NewKey } from './NewKey';

type Key = Schemas['ApiKeyAnswer'];

/** The keys of a person's scripts: made here, shown once, revoked here. */
export function ApiKeys({ own }: { own: Key[] }) {
  const [everybodys, setEverybodys] = useState(false);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key>();
  const all = useQuery(allApiKeys(everybodys));
  const keys = everybodys ? { ...all, data: all.data?.body.items ?? (all.error ? undefined : own) } : { ...all, data: own, error: null };
  const client = useQueryClient();
  const renew = () => client.invalidateQueries({ queryKey: ['settings'] });
  const revoke = useMutation({
    mutationFn: (key: Key) => done(api.DELETE('/api-keys/{key_id}', { params: { path: { key_id: key.key_id } } })),
    onSuccess: (key) => {
      toast(`${key.name} opens nothing any more.`);
      return renew();
    },
  });
  const aside = (
    <>
      {may('admin') && (
        <Button look="quiet" aria-pressed={everybodys} onClick={() => setEverybodys(!everybodys)}>
          {everybodys ? 'Only mine' : "Everybody's"}
        </Button>
      )}
      <Button onClick={() => setMaking(true)}>New key…</Button>
    </>
  );
  return (
    <Card title="API keys" aside={aside} flush>
      <Loaded query={keys}>
        {(shown) =>
          shown.length ? (
            <Table label="API keys" columns={columns(everybodys, setRevoking)} rows={shown} rowKey={(key) => key.key_id} />
          ) : (
            <EmptyState title="No key yet" icon="keyboard">
              <p className="quiet">A key lets a script act as you, for as long as you say. It decides on no model versions.</p>
            </EmptyState>
          )
        }
      </Loaded>
      {making && <NewKey onClose={() => setMaking(false)} onMade={renew} />}
      {revoking && (
        <DecisionDialog title={`Revoke ${revoking.name}?`} act="Revoke" danger onAct={() => revoke.mutateAsync(revoking)} onClose={() => setRevoking(undefined)}>
          <p>What uses this key is refused from its next request on. A revoked key does not come back.</p>
        </DecisionDialog>
      )}
    </Card>
  );
}

function columns(owners: boolean, onRevoke: (key: Key) => void): Column<Key>[] {
  const owner: Column<Key> = { key: 'owner', name: 'Owner', cell: (key) => key.owner };
  return [
    { key: 'name', name: 'Name', head: true, cell: (key) => key.name },
    { key: 'state', name: 'State', cell: (key) => (key.valid ? <Status kind="good">Valid</Status> : <Status kind="stopped">{key.revoked_at ? 'Revoked' : 'Expired'}</Status>) },
    ...(owners ? [owner] : []),
    { key: 'roles', name: 'Roles', wideOnly: true, cell: (key) => key.roles.join(', ') },
    { key: 'expires', name: 'Until', wideOnly: true, cell: (key) => day(key.expires_at) },
    { key: 'used', name: 'Last used', wideOnly: true, cell: (key) => (key.last_used_at ? <Time at={key.last_used_at} /> : <span className="quiet">never</span>) },
    {
      key: 'revoke',
      name: 'Revoke',
      hideName: true,
      align: 'right',
      cell: (key) =>
        key.valid && (
          <Button look="quiet" onClick={() => onRevoke(key)} aria-label={`Revoke ${key.name}`}>
            Revoke…
          </Button>
        ),
    },
  ];
}
