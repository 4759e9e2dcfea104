import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { Dated } from '../../ui/Dated';
import { count, whole } from '../../ui/format';
import { Time } from '../../ui/Time';

type Standing = Schemas['LabelStanding'];

/** How many labels joined a prediction, how many wait for theirs, and what waiting means; nothing until a check counted. */
export function Labels({ labels }: { labels: Standing | null }) {
  if (!labels) return null;
  const meaning = meaningOf(labels);
  return (
    <Card
      title="Labels of the last 30 days"
      aside={
        <span className="meta">
          counted <Time at={labels.counted_at} />
        </span>
      }
    >
      <div className="stack">
        <p>
          <Dated>{labels.sentence}</Dated>
        </p>
        {labels.window_rows > 0 && (
          <p>
            <Dated>{unlabelledOf(labels)}</Dated>
          </p>
        )}
        {meaning && <p className="quiet">{meaning}</p>}
      </div>
    </Card>
  );
}

function unlabelledOf({ unlabelled, window, window_rows: rows }: Standing): string {
  const said = unlabelled === 0 ? `None of ${count(rows, 'prediction')} waits for its label` : `${whole(unlabelled)} of ${count(rows, 'prediction')} ${unlabelled === 1 ? 'waits for its label' : 'wait for their labels'}`;
  return `${said}: ${window}.`;
}

function meaningOf({ known, waiting }: Standing): string | null {
  if (waiting === null) return known ? '“Check now” over 31 days looks for the predictions of all labels.' : null;
  if (waiting === 0) return null;
  return 'A label joins the prediction that has its record id, whichever of the two comes first. One that waits came before its prediction, or names a record that no request of the last 31 days and no row of the latest batches has.';
}
