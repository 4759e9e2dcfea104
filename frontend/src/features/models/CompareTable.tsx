import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { metricName } from '../../api/metricNames';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Delta } from '../../ui/Delta';
import { count, figure } from '../../ui/format';
import { makeRows, metricRows, parameterRows, type FactRow, type MetricRow } from './compareRows';
import type { CompareSearch } from './search';
import { VersionLink } from './VersionLink';

type Candidate = Schemas['ComparedCandidate'];

interface Props {
  candidates: Candidate[];
  /** Rows that are the same in every column are left out. */
  differences: boolean;
  onShow: (change: Partial<CompareSearch>) => void;
}

/** A column for each candidate; figures with how they differ from the first's. */
export function CompareTable({ candidates, differences, onShow }: Props) {
  const groups = { Quality: metricRows(candidates), Parameters: parameterRows(candidates), 'How it was made': makeRows(candidates) };
  const equal = Object.values(groups).flat().filter(({ same }) => same).length;
  return (
    <Card
      title="Side by side"
      flush
      aside={
        <>
          {differences && equal > 0 && <span className="meta">{count(equal, 'row is', 'rows are')} the same and not shown</span>}
          <Button aria-pressed={differences} onClick={() => onShow({ diff: differences ? false : undefined })}>
            Differences only
          </Button>
        </>
      }
    >
      <div className="table-wrap" tabIndex={0} role="group" aria-label="Candidates side by side">
        <table className="compare" aria-label="Candidates side by side">
          <thead>
            <tr>
              <td />
              {candidates.map((each, index) => (
                <Head key={each.id} candidate={each} index={index} all={candidates} onShow={onShow} />
              ))}
            </tr>
          </thead>
          {Object.entries(groups).map(([name, rows]) => (
            <Group key={name} name={name} rows={differences ? rows.filter(({ same }) => !same) : rows} columns={candidates.length} />
          ))}
        </table>
      </div>
    </Card>
  );
}

function Head({ candidate, index, all, onShow }: { candidate: Candidate; index: number; all: Candidate[]; onShow: Props['onShow'] }) {
  const others = all.filter(({ id }) => id !== candidate.id).map(({ id }) => id);
  return (
    <th scope="col">
      <VersionLink id={candidate.id} /> <span className="quiet">{candidate.algorithm}</span>
      <div className="meta">
        of{' '}
        <Link to="/runs/$runId" params={{ runId: candidate.run_id }}>
          {candidate.run_id}
        </Link>
      </div>
      <div className="row">
        {index === 0 ? (
          <span className="meta">The others are held against it</span>
        ) : (
          <Button look="quiet" onClick={() => onShow({ ids: [candidate.id, ...others].join(',') })} aria-label={`Hold the others against ${candidate.id}`}>
            Hold against
          </Button>
        )}
        {all.length > 2 && (
          <Button look="quiet" onClick={() => onShow({ ids: others.join(',') })} aria-label={`Take ${candidate.id} away`}>
            Take away
          </Button>
        )}
      </div>
    </th>
  );
}

function Group({ name, rows, columns }: { name: string; rows: Array<MetricRow | FactRow>; columns: number }) {
  if (!rows.length) return null;
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={columns + 1} className="compare-group">
          {name}
        </th>
      </tr>
      {rows.map((row) => (
        <tr key={row.name}>
          <th scope="row">{'metrics' in row ? metricName(row.name) : row.name}</th>
          {'metrics' in row
            ? row.metrics.map((metric, index) => (
                <td key={index}>
                  <Figure metric={metric} against={index ? row.metrics[0] : undefined} />
                </td>
              ))
            : row.values.map((value, index) => <td key={index}>{value}</td>)}
        </tr>
      ))}
    </tbody>
  );
}

function Figure({ metric, against }: { metric: Schemas['Metric'] | undefined; against: Schemas['Metric'] | undefined }) {
  if (!metric) return <>–</>;
  return (
    <>
      <strong>{figure(metric.value)}</strong> {against && <Delta value={metric.value - against.value} higherIsBetter={metric.higher_is_better} />}
      <div className="meta">
        {figure(metric.low)} to {figure(metric.high)}
      </div>
    </>
  );
}
