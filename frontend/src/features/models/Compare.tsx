import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { metricName } from '../../api/metricNames';
import { comparison } from '../../api/queries';
import { ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { Status } from '../../ui/Status';
import { chosenIn } from '../../ui/chosen';
import { CompareCurves } from './CompareCurves';
import { CompareTable } from './CompareTable';
import type { CompareSearch } from './search';
import './compare.css';

type Comparison = Schemas['CandidateComparison'];

export default function Compare() {
  const search = useSearch({ from: '/signed-in/runs/compare' });
  const ids = chosenIn(search.ids);
  return ids.length < 2 ? <TooFew /> : <Compared ids={ids} search={search} />;
}

function TooFew() {
  return (
    <Page title="Choose what to compare" tab="Compare">
      <Card>
        <EmptyState title="Two to five candidates stand beside each other here" icon="list">
          <p className="quiet">Choose training runs in the list of runs, or versions on the page of a model.</p>
          <div className="row">
            <ButtonLink to="/runs">See the runs</ButtonLink>
            <ButtonLink to="/models">See the models</ButtonLink>
          </div>
        </EmptyState>
      </Card>
    </Page>
  );
}

function Compared({ ids, search }: { ids: string[]; search: CompareSearch }) {
  const navigate = useNavigate();
  const query = useQuery(comparison(ids));
  const show = (change: Partial<CompareSearch>) => void navigate({ to: '/runs/compare', search: { ...search, ...change }, replace: true, resetScroll: false });
  const found = query.data?.body;
  return (
    <Page title={found ? titleOf(found) : 'Compare'} tab="Compare" subtitle={found && <span>{found.candidates.map(({ id }) => id).join(', ')}</span>}>
      <Loaded query={query}>
        {({ body }) => (
          <>
            <Said comparison={body} />
            <CompareTable candidates={body.candidates} differences={search.diff !== false} onShow={show} />
            <CompareCurves candidates={body.candidates} of={search.of} onChoose={(of) => show({ of })} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** What the comparison comes to, and what was recommended when they were trained. */
function Said({ comparison: { sentence, same_rows: sameRows, candidates } }: { comparison: Comparison }) {
  const recommended = candidates.filter((each) => each.recommended).map(({ id }) => id);
  return (
    <Card>
      <div className="row">
        {sameRows ? <Status kind="good">Judged on the same rows</Status> : <Status kind="watch">Judged on different rows</Status>}
        {recommended.length > 0 && <span className="meta">Recommended when trained: {recommended.join(', ')}</span>}
      </div>
      <p>{sentence}</p>
    </Card>
  );
}

function titleOf({ best, candidates, same_rows: sameRows }: Comparison): string {
  const metric = metricName(candidates[0]!.primary_metric);
  if (best) return `${best} leads by ${metric}`;
  return sameRows ? `Nothing between them by ${metric}` : 'They were judged on different rows';
}
