import { Link } from '@tanstack/react-router';

import { placeOf } from './metrics';

/** `churn:7`, leading to it. */
export function VersionLink({ id, children }: { id: string; children?: React.ReactNode }) {
  return (
    <Link to="/models/$model/$number" params={placeOf(id)}>
      {children ?? id}
    </Link>
  );
}
