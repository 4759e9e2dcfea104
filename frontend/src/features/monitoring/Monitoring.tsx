import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { monitoring } from '../../api/queries';
import { Card } from '../../ui/Card';
import { Chips } from '../../ui/Chips';
import { EmptyState } from '../../ui/EmptyState';
import { Loaded, Skeleton } from '../../ui/Loaded';
import { Page } from '../../ui/Page';
import { CheckNow } from './CheckNow';
import { Heatmap } from './Heatmap';
import { Labels } from './Labels';
import { Meaning } from './Meaning';
import { Overlay } from './Overlay';
import { KIND_NAMES, Reports } from './Reports';
import { KINDS, RANGES, type MonitoringSearch } from './search';
import { Traffic } from './Traffic';
import './monitoring.css';

type Model = Schemas['KnownModel'];
type Watched = NonNullable<Schemas['MonitoringScreen']['shown']>;

/** Which model: the one in the URL, else the first that is live, else the first. */
export default function Monitoring() {
  const { day: _, ...asked } = useSearch({ from: '/signed-in/monitoring' });
  const query = useQuery(monitoring(asked));
  const known = query.data?.body.shown;
  // While another model comes, what is there is that of the one before.
  const found = known && (asked.model ?? known.model) === known.model ? known : undefined;
  return (
    <Page title={found?.heading ?? 'Monitoring'} tab={found ? `Monitoring ${found.model}` : 'Monitoring'} subtitle={found && <Standing found={found} />} actions={found && <CheckNow model={found.model} champion={found.champion !== null} />}>
      <Loaded query={query}>
        {({ body: { models, shown } }) =>
          shown ? (
            <OfModel found={found} name={asked.model ?? shown.model} known={models} />
          ) : (
            <Card>
              <EmptyState title="No model to watch yet" icon="pulse">
                <p className="quiet">A model is watched from the day on which it answers its first request.</p>
              </EmptyState>
            </Card>
          )
        }
      </Loaded>
    </Page>
  );
}

function OfModel({ found, name, known }: { found: Watched | undefined; name: string; known: Model[] }) {
  const search = useSearch({ from: '/signed-in/monitoring' });
  const navigate = useNavigate();
  const go = (changes: MonitoringSearch) => void navigate({ to: '/monitoring', search: { ...search, model: name, ...changes } });
  return (
    <>
      <div className="row watched">
        <label className="row">
          <span className="quiet">Model</span>
          <select className="field" value={name} onChange={(event) => go({ model: event.target.value, feature: undefined, day: undefined })}>
            {known.map((each) => (
              <option key={each.name}>{each.name}</option>
            ))}
          </select>
        </label>
        <Chips label="What drifts" chips={KINDS.map((value) => ({ value, name: KIND_NAMES[value] }))} chosen={search.kind ?? 'data'} onChoose={(chosen) => go({ kind: chosen === 'data' ? undefined : chosen, feature: undefined, day: undefined })} />
        <Chips label="Days" chips={RANGES.map((days) => ({ value: String(days), name: `${days} days` }))} chosen={String(search.range ?? 30)} onChoose={(days) => go({ range: days && days !== '30' ? Number(days) : undefined, day: undefined })} />
      </div>
      {found ? (
        <>
          <Picture found={found} search={search} dataset={known.find((each) => each.name === name)?.dataset} go={go} />
          <Traffic traffic={found.traffic} />
          <Labels labels={found.labels} />
          <Reports reports={found.reports.items} />
        </>
      ) : (
        <Skeleton height={360} />
      )}
    </>
  );
}

function Standing({ found }: { found: Watched }) {
  const { champion, counts } = found;
  const judged = counts && `${counts.drifted} drifted, ${counts.ok} did not${counts.skipped ? `, ${counts.skipped} not judged` : ''}.`;
  return (
    <span>
      {champion ? `${champion} is live.` : `No version of ${found.model} is live.`} {judged} A feature counts as drifted beyond its own threshold, which its cell and its figures name.
    </span>
  );
}

interface PictureProps {
  found: Watched;
  search: MonitoringSearch;
  dataset: string | undefined;
  go: (changes: MonitoringSearch) => void;
}

function Picture({ found, search, dataset, go }: PictureProps) {
  const { heatmap, selected } = found;
  if (heatmap.rows.length === 0) {
    return (
      <Card>
        <EmptyState title={`Nothing was checked in these ${heatmap.days.length} days`} icon="pulse">
          <p className="quiet">The check of last night comes by itself once a version is live and answers requests. “Check now” does not wait for it.</p>
        </EmptyState>
      </Card>
    );
  }
  const feature = search.feature ?? selected?.feature;
  const day = search.day && heatmap.days.includes(search.day) ? search.day : selected?.day;
  const row = heatmap.rows.find((each) => each.feature === feature);
  const cell = (day && row?.cells[heatmap.days.indexOf(day)]) || null;
  return (
    <>
      <Heatmap heatmap={heatmap} title="Drift by feature and day" chosen={feature && day ? { feature, day } : undefined} onChoose={(chosen, on) => go({ feature: chosen, day: on })} />
      {selected && day && (
        <div className="columns">
          <Overlay selected={selected} />
          <Meaning selected={selected} cell={cell} day={cell ? day : selected.day} dataset={dataset} />
        </div>
      )}
    </>
  );
}
