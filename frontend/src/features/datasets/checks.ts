/** What is wrong with a version as rows of a table: failed checks first, those that broke most rows before others. */
import type { Schemas } from '../../api/client';

export interface Check {
  kind: 'failed' | 'warned';
  /** Empty: it is about the whole file. */
  column: string;
  rule: string;
  /** How many rows broke it; null where that is not counted. */
  rows: number | null;
}

type Version = Pick<Schemas['DatasetVersionDetail'], 'reasons' | 'quality'>;

export function checksOf({ reasons, quality }: Version): Check[] {
  const broken = Object.entries(quality?.violations ?? {}).map(([said, rows]) => ({ ...parted(said), rows, kind: 'failed' as const }));
  const refused = reasons.map((said) => ({ column: '', rule: said, rows: null, kind: 'failed' as const }));
  const warned = [...(quality?.schema_changes ?? []), ...(quality?.warnings ?? [])].map((said) => ({ ...parted(said), rows: null, kind: 'warned' as const }));
  return [...refused, ...broken.sort((a, b) => b.rows - a.rows), ...warned];
}

/** `age: not an integer` → its column and its rule. */
function parted(said: string): { column: string; rule: string } {
  const [column, ...rest] = said.split(': ');
  return rest.length ? { column: column ?? '', rule: rest.join(': ') } : { column: '', rule: said };
}
