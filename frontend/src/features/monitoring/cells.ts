/** Cells of the heatmap: how one looks, what stands in it, what it is called, which one the arrows lead to. */
import type { Schemas } from '../../api/client';

export type Cell = Schemas['HeatmapCell'];
export type Look = 'none' | 'skipped' | 'calm' | 'near' | 'drift';

/** A share of its own threshold from which a feature is worth watching. */
const NEAR = 0.5;
/** Scores under it are not written into their cells: nobody needs them. */
const WRITTEN_FROM = 0.1;

export const LEGEND: Array<{ look: Look; words: string }> = [
  { look: 'calm', words: 'calm' },
  { look: 'near', words: 'over half of its threshold' },
  { look: 'drift', words: 'drifted' },
  { look: 'skipped', words: 'not judged' },
  { look: 'none', words: 'no check' },
];

export function lookOf(cell: Cell | null): Look {
  if (!cell) return 'none';
  if (cell.verdict === 'SKIPPED') return 'skipped';
  if (cell.verdict === 'DRIFT') return 'drift';
  return (cell.share ?? 0) >= NEAR ? 'near' : 'calm';
}

/** `.14`, `1.2`, or nothing where it is small or was not judged. */
export function written(cell: Cell | null): string {
  if (!cell || cell.verdict === 'SKIPPED' || cell.score == null || cell.score < WRITTEN_FROM) return '';
  if (cell.score >= 9.95) return cell.score.toFixed(0);
  return cell.score >= 0.995 ? cell.score.toFixed(1) : cell.score.toFixed(2).replace(/^0/, '');
}

/** The name of a cell for who does not see its colour; a cell that was not judged says why. */
export function cellName(feature: string, day: string, cell: Cell | null): string {
  if (!cell) return `${feature} on ${day}: no check`;
  return `${feature} on ${day}: ${cell.verdict === 'SKIPPED' ? 'not judged, ' : ''}${plain(cell.sentence)}`;
}

/** The platform marks names in its sentences with backquotes. */
export function plain(sentence: string): string {
  return sentence.replaceAll('`', '');
}

export interface Position {
  row: number;
  column: number;
}

/** Where a key leads from a cell, within the grid; undefined for keys that do not move. */
export function moved({ row, column }: Position, key: string, rows: number, columns: number): Position | undefined {
  const steps: Record<string, Position> = {
    ArrowUp: { row: row - 1, column },
    ArrowDown: { row: row + 1, column },
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    Home: { row, column: 0 },
    End: { row, column: columns - 1 },
  };
  const to = steps[key];
  return to && { row: Math.min(Math.max(to.row, 0), rows - 1), column: Math.min(Math.max(to.column, 0), columns - 1) };
}
