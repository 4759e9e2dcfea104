import type { Schemas } from '../../api/client';
import { Chips } from '../../ui/Chips';
import { LineChart, type Series } from '../../ui/charts/LineChart';
import { count } from '../../ui/format';
import { CURVES, type Axes, type CurveName } from './curves';

type Candidate = Schemas['ComparedCandidate'];

interface Props {
  candidates: Candidate[];
  of: string | undefined;
  onChoose: (of: string | undefined) => void;
}

/** The candidates' curves over each other; with several classes, those of one class. */
export function CompareCurves({ candidates, of, onChoose }: Props) {
  const drawn = (Object.keys(CURVES) as CurveName[]).filter((name) => candidates.some(({ curves }) => curves[name]?.length));
  const classes = [...new Set(candidates.flatMap(({ curves }) => Object.values(curves).flat()).map(({ class_name: name }) => name))].filter((name) => name != null);
  const chosen = classes.find((name) => name === of) ?? classes[0];
  if (!drawn.length) return null;
  return (
    <>
      {classes.length > 1 && <Chips label="Class" chips={classes.map((name) => ({ value: name, name }))} chosen={chosen} onChoose={onChoose} />}
      <div className="compare-curves">
        {drawn.map((name) => (
          <Overlaid key={name} name={name} candidates={candidates} of={chosen} />
        ))}
      </div>
    </>
  );
}

function Overlaid({ name, candidates, of }: { name: CurveName; candidates: Candidate[]; of: string | undefined }) {
  const { title, x, y, xName, yName, reference }: Axes = CURVES[name];
  const series: Series[] = candidates.flatMap(({ id, curves }, index) => {
    const found = curves[name]?.find(({ class_name: given }) => of === undefined || given === of);
    return found ? [{ name: id, look: index === 0 ? 'dashed' : 'plain', hue: index, points: found.points.map((point) => ({ x: point[x] ?? 0, y: point[y] ?? 0 })) }] : [];
  });
  const shown = of === undefined ? title : `${title} of ${of}`;
  return (
    <LineChart
      title={shown}
      summary={`${shown}: ${count(series.length, 'candidate')} over each other, ${series.map((each) => each.name).join(', ')}; the first is dashed`}
      xName={xName}
      yName={yName}
      series={reference ? [...series, { name: reference, look: 'quiet', points: [{ x: 0, y: 0 }, { x: 1, y: 1 }] }] : series}
    />
  );
}
