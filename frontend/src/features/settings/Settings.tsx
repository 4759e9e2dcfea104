import { useColorScheme } from '@mui/material/styles';
import { useQuery } from '@tanstack/react-query';

import { settings } from '../../api/settingsQueries';
import { user } from '../../auth/session';
import { Card } from '../../ui/Card';
import { Chips } from '../../ui/Chips';
import { Facts } from '../../ui/Facts';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { ApiKeys } from './ApiKeys';
import { Channels } from './Channels';
import { Schedules } from './Schedules';

type Mode = 'system' | 'light' | 'dark';

const MODES: Array<{ value: Mode; name: string }> = [
  { value: 'system', name: 'As the system' },
  { value: 'light', name: 'Light' },
  { value: 'dark', name: 'Dark' },
];

export default function Settings() {
  const { mode, setMode } = useColorScheme();
  const who = user();
  const query = useQuery(settings());
  return (
    <Page title="Settings">
      <Card title="You" flush>
        <Facts
          facts={[
            ['Name', who?.name],
            ['Address', who?.email],
            ['Roles', who?.roles.join(', ') || 'none: ask an administrator'],
          ]}
        />
      </Card>
      <Card title="Theme">
        <Chips label="Theme" chips={MODES} chosen={mode} onChoose={(chosen) => setMode(chosen ?? 'system')} />
      </Card>
      <Loaded query={query}>
        {({ body: { schedules, channels, api_keys: keys } }) => (
          <>
            <Schedules schedules={schedules.items} />
            <Channels channels={channels} />
            <ApiKeys own={keys.items} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
