import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { models } from '../../api/queries';
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

type Model = Schemas['ModelSummary'];

export default function Predictions() {
  const search = useSearch({ from: '/signed-in/predictions' });
  const navigate = useNavigate();
  const query = useQuery(models({ limit: 100 }));
  const live = query.data?.body.items.filter(({ champion }) => champion);
  const chosen = live?.find(({ name }) => name === search.model) ?? live?.[0];
  const choose = (model: string) => void navigate({ to: '/predictions', search: { model }, replace: true });
  return (
    <Page title={live ? titleOf(live) : 'Predictions'} tab="Predictions">
      <Loaded query={query}>
        {() =>
          chosen ? (
            <>
              <Chosen live={live!} model={chosen} onChoose={choose} />
              <TryOne key={chosen.champion!.id} model={chosen.name} version={chosen.champion!.id} />
              {may('scientist') && <StartBatch key={chosen.name} model={chosen.name} />}
            </>
          ) : (
            <Card>
              <EmptyState title="No model is live yet" icon="spark">
                <p className="quiet">A version answers here once somebody has approved it.</p>
                <ButtonLink to="/models">See the models</ButtonLink>
              </EmptyState>
            </Card>
          )
        }
      </Loaded>
      <Batches cursor={search.cursor} onGo={(cursor) => void navigate({ to: '/predictions', search: { ...search, cursor }, resetScroll: false })} />
    </Page>
  );
}

function Chosen({ live, model, onChoose }: { live: Model[]; model: Model; onChoose: (name: string) => void }) {
  return (
    <div className="row">
      <select className="field" aria-label="Model" value={model.name} onChange={(event) => onChoose(event.target.value)}>
        {live.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <span className="quiet">
        answers with{' '}
        <Link to="/models/$model/$number" params={{ model: model.name, number: String(model.champion!.number) }}>
          {model.champion!.id}
        </Link>
      </span>
    </div>
  );
}

function titleOf(live: Model[]): string {
  return live.length ? `${count(live.length, 'model answers', 'models answer')} now` : 'No model answers yet';
}
