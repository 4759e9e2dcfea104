import type { Schemas } from '../../api/client';
import { driftStatus } from '../../api/states';
import { may } from '../../auth/session';
import { ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Dated } from '../../ui/Dated';
import { Facts } from '../../ui/Facts';
import { Status } from '../../ui/Status';
import { figure, percent } from '../../ui/format';
import { plain, type Cell } from './cells';

interface Props {
  selected: Schemas['SelectedFeature'];
  /** The chosen cell where it is another day's than what is drawn. */
  cell: Cell | null;
  day: string;
  dataset: string | undefined;
}

/** What the figures mean, in a sentence, and what can be done about it. */
export function Meaning({ selected, cell, day, dataset }: Props) {
  const told = cell && day !== selected.day ? cell : selected;
  const { kind, word } = driftStatus(told.verdict);
  return (
    <Card title="What this means">
      <div className="stack meaning">
        <p className="row">
          <Status kind={kind}>{word}</Status>
          <time dateTime={day} className="quiet">
            {day}
          </time>
        </p>
        <p>
          <Dated>{plain(told.sentence)}</Dated>
        </p>
        {selected.reason && day === selected.day && (
          <p className="quiet">
            <Dated>{plain(selected.reason)}</Dated>
          </p>
        )}
        <p>{ADVICE[told.verdict]}</p>
        <Facts
          facts={[
            ...thresholds(day === selected.day ? selected.scores : scoreOf(cell)),
            ['Weight in the model', selected.importance_share == null ? null : percent(selected.importance_share)],
            ['Smallest shift that would be seen', selected.smallest_shift_sd == null ? null : `${figure(selected.smallest_shift_sd, 2)} sd`],
          ]}
        />
      </div>
      {dataset && may('scientist') && (
        <ButtonLink to="/runs/new" search={{ dataset }}>
          Retrain with this data
        </ButtonLink>
      )}
    </Card>
  );
}

const ADVICE: Record<Schemas['DriftVerdict'], string> = {
  DRIFT: 'The values no longer look like the ones that the model was trained on. Look at where they come from; if the world changed, retrain on data from after the change.',
  OK: 'Differences this small also come about by chance.',
  SKIPPED: 'Nothing is said about it either way.',
};

function scoreOf(cell: Cell | null): Array<{ metric: string; score: number; threshold: number }> {
  return cell?.metric && cell.score != null && cell.threshold != null ? [{ metric: cell.metric, score: cell.score, threshold: cell.threshold }] : [];
}

function thresholds(scores: Array<{ metric: string; score: number; threshold: number }>): Array<[string, string]> {
  return scores.map(({ metric, score, threshold }) => [metric.replaceAll('_', ' '), `${figure(score, 2)}; counts from ${figure(threshold, 2)}`]);
}
