import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { overview } from '../../api/queries';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded, Skeleton } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Updated } from '../../ui/Updated';
import { count, percent } from '../../ui/format';
import { LiveModels } from './LiveModels';
import { Needs } from './Needs';
import { headingOf } from './needShown';
import { RecentRuns, Running } from './Running';
import { Tiles } from './Tiles';
import './overview.css';

/** What needs me? */
export default function Overview() {
  const query = useQuery(overview());
  const shown = query.data?.body;
  return (
    <Page title={shown ? headingOf(shown) : 'Overview'} tab="Overview" subtitle={shown && <Subtitle shown={shown} at={query.dataUpdatedAt} failing={query.isError} />}>
      <Loaded query={query} skeleton={<Waiting />}>
        {({ body }) => (body.datasets === 0 ? <FirstStep /> : <Everything body={body} />)}
      </Loaded>
    </Page>
  );
}

function Everything({ body }: { body: Schemas['OverviewAnswer'] }) {
  return (
    <>
      <div className="wide-and-narrow">
        <Needs needs={body.needs} />
        <Running runs={body.running} />
      </div>
      <Tiles overview={body} />
      <div className="wide-and-narrow">
        <LiveModels models={body.live_models} />
        <RecentRuns runs={body.recent_runs} />
      </div>
    </>
  );
}

function Subtitle({ shown, at, failing }: { shown: Schemas['OverviewAnswer']; at: number; failing: boolean }) {
  return (
    <>
      <span>
        {count(shown.live_models.length, 'model')} live · {count(shown.running.length, 'run')} in flight
        {shown.succeeded_share !== null && ` · ${percent(shown.succeeded_share)} of all runs succeeded`}
      </span>
      <Updated at={at} failing={failing} />
    </>
  );
}

function FirstStep() {
  return (
    <Card>
      <EmptyState title="Upload a dataset" icon="upload">
        <p>Drop a CSV, TSV, JSON Lines or Parquet file: it is checked, trained on, and the versions come here for your decision.</p>
        <Link to={'/datasets' as '/'}>Upload a dataset</Link>
      </EmptyState>
    </Card>
  );
}

/** Of the heights that the cards will have. */
function Waiting() {
  return (
    <>
      <Skeleton height={210} />
      <Skeleton height={122} />
      <Skeleton height={300} />
    </>
  );
}
