import { ago, moment } from './format';
import { useNow } from './useNow';

/** Relative time, with the exact one as its title. */
export function Time({ at }: { at: string }) {
  const now = useNow(5000);
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at, now)}
    </time>
  );
}
