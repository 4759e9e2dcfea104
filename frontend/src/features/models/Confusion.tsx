import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { figure, percent, whole } from '../../ui/format';
import { confusionAt, nearest } from './curves';
import { classesOf, matricesOf } from './matrices';

interface Props {
  evaluation: Schemas['EvaluationAnswer'];
  threshold: number | undefined;
  onThreshold: (value: number) => void;
}

/** Who is taken for what: at the chosen threshold with two classes, as it is with several. */
export function Confusion({ evaluation, threshold, onThreshold }: Props) {
  const classes = classesOf(evaluation);
  const own = matricesOf(evaluation)[0];
  if (!own) return null;
  const rows = threshold === undefined ? own.rows : atThreshold(evaluation, threshold, own.rows, own.threshold);
  const total = rows.flat().reduce((sum, each) => sum + each, 0);
  return (
    <Card title={threshold === undefined ? 'Confusion' : `Confusion at threshold ${figure(threshold, 2)}`}>
      <div className="table-wrap" tabIndex={0} role="group" aria-label="Rows by class">
        <table className="confusion">
          <thead>
            <tr>
              <td />
              {classes.map((name) => (
                <th key={name} scope="col">
                  predicted {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={classes[index]}>
                <th scope="row">actual {classes[index]}</th>
                {row.map((cell, column) => (
                  <td key={column} className={index === column ? 'right' : cell ? 'wrong' : undefined}>
                    <strong>{whole(cell)}</strong>
                    <span>{percent(total ? cell / total : null)}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {threshold !== undefined && (
        <label className="labelled threshold">
          <span>Threshold; the model's own is {figure(own.threshold, 2)}</span>
          <input type="range" min={0} max={1} step={0.01} value={threshold} onChange={(event) => onThreshold(Number(event.target.value))} />
        </label>
      )}
    </Card>
  );
}

/** From the ROC's point with the nearest threshold; at the model's own, exactly what was counted. */
function atThreshold(evaluation: Props['evaluation'], threshold: number, counted: number[][], own: number | null): number[][] {
  if (threshold === own) return counted;
  const point = nearest(evaluation.curves.roc?.[0]?.points ?? [], threshold);
  const [negative = 0, positive = 0] = counted.map((row) => row.reduce((sum, each) => sum + each, 0));
  return point ? confusionAt(point, { negative, positive }) : counted;
}
