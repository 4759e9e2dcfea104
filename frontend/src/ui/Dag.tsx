import { layoutOf } from './graph';
import { Status, statusLook, type StatusKind } from './Status';
import './dag.css';

export interface Step {
  id: string;
  name: string;
  after: string[];
  status: StatusKind;
  /** The state in a word, or how long it took. */
  word: string;
}

interface Props {
  label: string;
  steps: Step[];
  selected?: string;
  onSelect?: (id: string | undefined) => void;
}

const BOX = { width: 172, height: 52, gapX: 24, gapY: 16 };

/** Steps as buttons over one drawing of their connections. Wider than its place, it scrolls by itself. */
export function Dag({ label, steps, selected, onSelect }: Props) {
  const layout = layoutOf(steps);
  const at = new Map(layout.nodes.map(({ id, column, row }) => [id, { x: column * (BOX.width + BOX.gapX), y: row * (BOX.height + BOX.gapY) }]));
  const width = layout.columns * (BOX.width + BOX.gapX) - BOX.gapX;
  const height = layout.rows * (BOX.height + BOX.gapY) - BOX.gapY;
  return (
    <div className="dag" role="group" aria-label={label}>
      <div style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {steps.flatMap((step) => step.after.map((from) => <path key={`${from} ${step.id}`} className={step.status === 'waiting' ? 'later' : undefined} d={edge(at.get(from), at.get(step.id))} />))}
        </svg>
        {steps.map((step) => {
          const { x, y } = at.get(step.id)!;
          const chosen = selected === step.id;
          return (
            <button
              key={step.id}
              type="button"
              className={`dag-step ${statusLook(step.status)}`}
              style={{ left: x, top: y, width: BOX.width, height: BOX.height }}
              aria-pressed={onSelect && chosen}
              title={step.name}
              onClick={() => onSelect?.(chosen ? undefined : step.id)}
            >
              <span className="dag-name">{step.name}</span>
              <Status kind={step.status}>{step.word}</Status>
            </button>
          );
        })}
      </div>
    </div>
  );
}

interface Point {
  x: number;
  y: number;
}

function edge(from: Point | undefined, to: Point | undefined): string {
  if (!from || !to) return '';
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
  const bend = Math.min(40, (x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
