import { ago } from './format';
import { useNow } from './useNow';

const LATE_MS = 15_000;

interface Props {
  /** When what is shown was answered, in milliseconds since 1970. */
  at: number;
  /** Requests since have failed. */
  failing: boolean;
}

/** How old what is shown is; amber once it is late because requests fail. */
export function Updated({ at, failing }: Props) {
  const now = useNow(5000);
  const late = failing && now.getTime() - at > LATE_MS;
  return (
    <span className={late ? 'meta updated late' : 'meta updated'}>
      {late && 'not answering, '}updated {ago(new Date(at), now)}
    </span>
  );
}
