import type { ReactNode } from 'react';

import { Button } from './Button';
import { EmptyState } from './EmptyState';

interface Loadable<T> {
  data: T | undefined;
  error: Error | null;
  isFetching: boolean;
  refetch: () => unknown;
}

interface Props<T> {
  query: Loadable<T>;
  /** Of the height that the content will have, so that nothing jumps. */
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/** What a query has: its data even while a later request fails, a skeleton after 200 ms, or the error with a way out. */
export function Loaded<T>({ query, skeleton, children }: Props<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} busy={query.isFetching} />;
  return <>{skeleton ?? <Skeleton height={360} />}</>;
}

interface FailureProps {
  error: Error;
  retry?: () => void;
  busy?: boolean;
}

/** What went wrong in a sentence, the request's id, one way out. */
export function Failure({ error, retry, busy = false }: FailureProps) {
  const request = requestId(error);
  return (
    <div role="alert">
      <EmptyState title="This could not be loaded" icon="cross">
        <p>{error.message}</p>
        {request && <p className="meta">Request {request}</p>}
        {retry && (
          <Button onClick={retry} loading={busy}>
            Try again
          </Button>
        )}
      </EmptyState>
    </div>
  );
}

/** What the API's errors carry, without knowing them. */
function requestId(error: Error): string | undefined {
  return 'problem' in error ? (error.problem as { request_id?: string }).request_id || undefined : undefined;
}

export function Skeleton({ height }: { height: number }) {
  return <div className="skeleton" style={{ height }} role="status" aria-label="Loading" />;
}
