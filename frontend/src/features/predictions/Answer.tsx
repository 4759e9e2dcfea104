import { lazy, Suspense } from 'react';

import type { Schemas } from '../../api/client';
import { Card } from '../../ui/Card';

// What draws an answer comes with the first one.
const Said = lazy(() => import('./Said'));

interface Props {
  answer: Schemas['PredictResponse'] | undefined;
  error: Error | null;
  target: string;
}

/** What the model said of the row, which version said it, how long it took, and what moved it. */
export function Answer({ answer, error, target }: Props) {
  const row = answer?.predictions[0];
  return (
    <Card title="Answer">
      <div className="stack" aria-live="polite">
        {error ? (
          <p className="bad" role="alert">
            {error.message}
          </p>
        ) : row && answer ? (
          <Suspense>
            <Said answer={answer} row={row} target={target} />
          </Suspense>
        ) : (
          <p className="quiet">Fill in a row and ask: the answer names the version that gave it, and what moved it.</p>
        )}
      </div>
    </Card>
  );
}
