import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { predictions } from '../../api/queries';
import { may } from '../../auth/session';
import { ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { count } from '../../ui/format';
import { Batches } from './Batches';
import { StartBatch } from './StartBatch';
import { TryOne } from './TryOne';
import './predictions.css';

type Live = Schemas['LiveVersion'];

export default function Predictions() {
  const search = useSearch({ from: '/signed-in/predictions' });
  const navigate = useNavigate();
  const query = useQuery(predictions(search.model));
  const live = query.data?.body.live;
  const choose = (model: string) => void navigate({ to: '/predictions', search: { model }, replace: true });
  return (
    <Page title={live ? titleOf(live) : 'Predictions'} tab="Predictions">
      <Loaded query={query}>
        {({ body: { form, batches } }) => (
          <>
            {form ? (
              <>
                <Chosen live={live!} asked={search.model} form={form} onChoose={choose} />
                <TryOne key={form.version} form={form} />
                {may('scientist') && <StartBatch key={form.model} model={form.model} />}
              </>
            ) : (
              <Card>
                <EmptyState title="No model is live yet" icon="spark">
                  <p className="quiet">A version answers here once somebody has approved it.</p>
                  <ButtonLink to="/models">See the models</ButtonLink>
                </EmptyState>
              </Card>
            )}
            <Batches first={batches} cursor={search.cursor} onGo={(cursor) => void navigate({ to: '/predictions', search: { ...search, cursor }, resetScroll: false })} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

interface ChosenProps {
  live: Live[];
  asked: string | undefined;
  form: Schemas['PredictionForm'];
  onChoose: (name: string) => void;
}

function Chosen({ live, asked, form: { model, version }, onChoose }: ChosenProps) {
  const chosen = live.some((each) => each.model === asked) ? asked : model;
  return (
    <div className="row">
      <select className="field" aria-label="Model" value={chosen} onChange={(event) => onChoose(event.target.value)}>
        {live.map((each) => (
          <option key={each.model}>{each.model}</option>
        ))}
      </select>
      <span className="quiet">
        answers with{' '}
        <Link to="/models/$model/$number" params={{ model, number: version.slice(model.length + 1) }}>
          {version}
        </Link>
      </span>
    </div>
  );
}

function titleOf(live: Live[]): string {
  return live.length ? `${count(live.length, 'model answers', 'models answer')} now` : 'No model answers yet';
}
