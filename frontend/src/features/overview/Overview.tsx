import { useQuery } from '@tanstack/react-query';

import { dashboardStats } from '../../api/queries';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Tile } from '../../ui/Tile';
import { whole } from '../../ui/format';

export default function Overview() {
  const query = useQuery(dashboardStats());
  return (
    <Page title="Overview">
      <Loaded query={query}>
        {({ body }) => (
          <div className="tiles">
            <Tile name="Datasets" value={whole(body.datasets)} />
            <Tile name="Models" value={whole(body.models)} />
            <Tile name="Waiting for approval" value={whole(body.pending_approvals)} />
          </div>
        )}
      </Loaded>
    </Page>
  );
}
