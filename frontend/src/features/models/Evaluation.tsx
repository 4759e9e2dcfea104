import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';
import { Facts } from '../../ui/Facts';
import { bytes, figure, whole } from '../../ui/format';
import { LineChart, type Series } from '../../ui/charts/LineChart';
import { Confusion } from './Confusion';
import { Importance } from './Importance';
import { CURVES, nearest, seriesOf, type Axes, type CurveName } from './curves';
import { useThreshold } from './useThreshold';

type Answer = Schemas['EvaluationAnswer'];

interface Props {
  own: Answer;
  /** What it is compared with: its curves are dashed. */
  rival: Schemas['Rival'] | null;
}

/** The figures behind the verdict, made by the server: at most 200 points a curve. */
export function Evaluation({ own, rival }: Props) {
  const [threshold, setThreshold] = useThreshold(own);
  return (
    <>
        {(Object.keys(CURVES) as CurveName[]).filter((name) => own.curves[name]?.length).map((name) => (
          <Curves key={name} name={name} own={own} rival={rival} threshold={threshold} />
        ))}
        <Confusion evaluation={own} threshold={threshold} onThreshold={setThreshold} />
        <Importance of={own.importance} metric={own.primary_metric} />
      <Card title="In use" flush>
        <Facts
          facts={[
            ['Test rows', whole(own.test_rows)],
            ['One row', own.latency_ms.single_row_p50 === undefined ? null : `${figure(own.latency_ms.single_row_p50, 2)} ms median, ${figure(own.latency_ms.single_row_p99, 2)} ms p99`],
            ['In bulk', own.batch_rows_per_second == null ? null : `${whole(own.batch_rows_per_second)} rows a second`],
            ['Size', own.size_bytes == null ? null : bytes(own.size_bytes)],
          ]}
        />
      </Card>
    </>
  );
}

function Curves({ name, own, rival, threshold }: Props & { name: CurveName; threshold: number | undefined }) {
  const { title, x, y, xName, yName, reference }: Axes = CURVES[name];
  const series: Series[] = [...seriesOf(own, name, 'plain'), ...(rival ? seriesOf(rival, name, 'dashed') : [])];
  const at = threshold === undefined ? undefined : nearest(own.curves[name]?.[0]?.points ?? [], threshold);
  const marks = at ? [{ x: at[x] ?? 0, y: at[y] ?? 0, name: `at threshold ${figure(threshold, 2)}` }] : [];
  return (
    <LineChart
      title={title}
      summary={`${title} of ${own.id}${rival ? ` and, dashed, of ${rival.id}` : ''}, ${series.length} ${series.length === 1 ? 'line' : 'lines'}`}
      xName={xName}
      yName={yName}
      series={reference ? [...series, { name: reference, look: 'quiet', points: [{ x: 0, y: 0 }, { x: 1, y: 1 }] }] : series}
      marks={marks}
    />
  );
}
