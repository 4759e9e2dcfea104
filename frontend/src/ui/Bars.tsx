interface Props {
  values: number[];
  /** What the bars say, in a sentence: the only thing that a screen reader hears. */
  label: string;
}

const WIDTH = 96;
const HEIGHT = 24;

/** A histogram as small as a word: no axes, the highest bar as high as its place. */
export function Bars({ values, label }: Props) {
  const most = Math.max(...values, Number.MIN_VALUE);
  const step = WIDTH / values.length;
  return (
    <svg className="bars" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      {values.map((value, index) => {
        const height = (value / most) * HEIGHT;
        return <rect key={index} x={index * step} y={HEIGHT - height} width={Math.max(0.5, step - 1)} height={height} fill="var(--series-1)" />;
      })}
    </svg>
  );
}
