import { signed } from './format';

interface Props {
  /** This figure minus the one it is compared with. */
  value: number;
  higherIsBetter: boolean;
  digits?: number;
}

/** A difference: signed, coloured and in words. */
export function Delta({ value, higherIsBetter, digits = 4 }: Props) {
  const word = judgement(value, higherIsBetter, digits);
  const look = { better: 'good', worse: 'bad', same: 'quiet' }[word];
  return <span className={look}>{word === 'same' ? 'same' : `${signed(value, digits)} ${word}`}</span>;
}

/** Whether a difference is for the better, as shown: what rounds to nothing is the same. */
export function judgement(value: number, higherIsBetter: boolean, digits = 4): 'better' | 'worse' | 'same' {
  const rounded = Number(value.toFixed(digits));
  if (rounded === 0) return 'same';
  return rounded > 0 === higherIsBetter ? 'better' : 'worse';
}
