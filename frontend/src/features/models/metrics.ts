/** Figures of versions as they are shown. */
import { figure } from '../../ui/format';

export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** `0.8312 (0.79 to 0.86)`: never a figure without its uncertainty. */
export function withInterval({ value, low, high }: Interval): string {
  return `${figure(value)} (${figure(low)} to ${figure(high)})`;
}

export function placeOf(id: string): { model: string; number: string } {
  const [model = '', number = ''] = id.split(':');
  return { model, number };
}
