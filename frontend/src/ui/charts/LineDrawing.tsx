import { useEffect, useRef, useState, type PointerEvent } from 'react';

import { figure } from '../format';
import { nearestTo, pathOf, scaleOf, type Scale } from './axes';
import type { LineChartProps, Series } from './LineChart';

const MARGIN = { left: 52, right: 12, top: 8, bottom: 40 };
const HEIGHT = 280;
const HUES = 5;
const GUESSED_WIDTH = 480;

const lookOf = ({ look, hue = look === 'dashed' ? 1 : 0 }: Series): string => (look === 'quiet' ? 'line quiet-line' : `line hue-${hue % HUES}${look === 'dashed' ? ' dashed-line' : ''}`);

/** The drawing alone, as wide as its place; what it is called and says stands around it. */
export function LineDrawing({ xName, yName, series, xRange, yRange, marks = [] }: LineChartProps) {
  const [place, width] = useWidth();
  const [pointed, setPointed] = useState<number>();
  const all = [...series.flatMap(({ points }) => points), ...marks];
  const x = scaleOf(all.map((point) => point.x), xRange, MARGIN.left, width - MARGIN.right, Math.max(2, Math.floor(width / 70)));
  const y = scaleOf(all.map((point) => point.y), yRange, HEIGHT - MARGIN.bottom, MARGIN.top, 5);
  const point = (event: PointerEvent<SVGSVGElement>) => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const share = (at - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
    setPointed(share < 0 || share > 1 ? undefined : x.low + share * (x.high - x.low));
  };
  return (
    <div ref={place} className="drawing">
      <ul className="legend">
        {series.map((each) => (
          <li key={each.name}>
            <svg width={18} height={8} aria-hidden="true">
              <path className={lookOf(each)} d="M0 4L18 4" />
            </svg>
            {each.name}
          </li>
        ))}
      </ul>
      <svg width={width} height={HEIGHT} aria-hidden="true" onPointerMove={point} onPointerLeave={() => setPointed(undefined)}>
        <Axes x={x} y={y} xName={xName} yName={yName} />
        {series.map((each) => (
          <path key={each.name} className={lookOf(each)} d={pathOf(each.points, x, y)} />
        ))}
        {marks.map((mark) => (
          <circle key={mark.name} className="mark" cx={x.at(mark.x)} cy={y.at(mark.y)} r={5}>
            <title>{mark.name}</title>
          </circle>
        ))}
        {pointed !== undefined && <line className="pointed" x1={x.at(pointed)} x2={x.at(pointed)} y1={y.at(y.low)} y2={y.at(y.high)} />}
      </svg>
      {pointed !== undefined && <Readings series={series} at={pointed} left={x.at(pointed)} room={width} />}
    </div>
  );
}

function Axes({ x, y, xName, yName }: { x: Scale; y: Scale; xName: string; yName: string }) {
  const [left, right, bottom, top] = [x.at(x.low), x.at(x.high), y.at(y.low), y.at(y.high)];
  return (
    <g className="axes">
      {y.ticks.map((tick) => (
        <g key={tick}>
          <line className="grid-line" x1={left} x2={right} y1={y.at(tick)} y2={y.at(tick)} />
          <text x={left - 6} y={y.at(tick) + 4} textAnchor="end">
            {tick}
          </text>
        </g>
      ))}
      {x.ticks.map((tick) => (
        <text key={tick} x={x.at(tick)} y={bottom + 16} textAnchor="middle">
          {tick}
        </text>
      ))}
      <path className="axis-line" d={`M${left} ${top}V${bottom}H${right}`} />
      <text className="axis-name" x={(left + right) / 2} y={bottom + 34} textAnchor="middle">
        {xName}
      </text>
      <text className="axis-name" transform={`translate(12 ${(top + bottom) / 2}) rotate(-90)`} textAnchor="middle">
        {yName}
      </text>
    </g>
  );
}

/** What each line says where the pointer is; whoever has no pointer has the table. */
function Readings({ series, at, left, room }: { series: Series[]; at: number; left: number; room: number }) {
  const side = left > room / 2 ? { right: room - left + 8 } : { left: left + 8 };
  return (
    <ul className="readings" style={side}>
      {series
        .filter(({ look }) => look !== 'quiet')
        .map((each) => (
          <li key={each.name}>
            {each.name}: {figure(nearestTo(each.points, at)?.y, 3)}
          </li>
        ))}
    </ul>
  );
}

/** How wide the place is, so that text keeps its size however wide the card is. */
function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(GUESSED_WIDTH);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.round(entry!.contentRect.width)));
    watcher.observe(place.current!);
    return () => watcher.disconnect();
  }, []);
  return [place, width];
}
