import { Link } from '@tanstack/react-router';

import type { Schemas } from '../../api/client';
import { Facts } from '../../ui/Facts';
import { Meter } from '../../ui/Meter';
import { Status } from '../../ui/Status';
import { duration, figure, percent, signed } from '../../ui/format';

/** A prediction with its probabilities, what it did not know of the row, and what moved it. */
export default function Said({ answer, row, target }: { answer: Schemas['PredictResponse']; row: Schemas['RowPrediction']; target: string }) {
  const [model = '', number = ''] = answer.model_version.split(':');
  const shares = Object.entries(row.probabilities ?? {}).sort(([, a], [, b]) => b - a);
  const notices = Object.entries(row.notices);
  return (
    <>
      <p className="said">
        <span className="quiet">{target}</span> <strong>{typeof row.prediction === 'number' ? figure(row.prediction) : String(row.prediction)}</strong>
      </p>
      {shares.length > 0 && (
        <ul className="shares">
          {shares.map(([name, share]) => (
            <li key={name}>
              <span>{name}</span>
              <Meter share={share} label={`Probability of ${name}`} />
              <span className="number">{percent(share)}</span>
            </li>
          ))}
        </ul>
      )}
      {notices.map(([column, notice]) => (
        <p key={column}>
          <Status kind="watch">{column}</Status> {notice}
        </p>
      ))}
      {row.explanation && <Explained explanation={row.explanation} />}
      <div className="flush-facts">
        <Facts
          facts={[
            [
              'Version',
              <Link key="version" to="/models/$model/$number" params={{ model, number }}>
                {answer.model_version}
              </Link>,
            ],
            ['Took', answer.latency_ms < 1000 ? `${figure(answer.latency_ms, 1)} ms` : duration(answer.latency_ms / 1000)],
            ['Record', row.record_id],
          ]}
        />
      </div>
    </>
  );
}

const SHOWN = 8;

function Explained({ explanation }: { explanation: NonNullable<Schemas['RowPrediction']['explanation']> }) {
  const effects = Object.entries(explanation.effects).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const most = Math.max(...effects.map(([, effect]) => Math.abs(effect)), Number.MIN_VALUE);
  const what = explanation.of === null ? 'the number' : `the probability of ${explanation.of}`;
  return (
    <div>
      <h3 className="explained">What moved it</h3>
      <ul className="shares">
        {effects.slice(0, SHOWN).map(([column, effect]) => (
          <li key={column}>
            <span>{column}</span>
            <Meter share={Math.abs(effect) / most} label={`Effect of ${column}`} />
            <span className="number">{signed(effect, 3)}</span>
          </li>
        ))}
      </ul>
      <p className="meta">By how much each value raised or lowered {what}, against the same row without it. What the model does, not what causes what.</p>
    </div>
  );
}
