import { useEffect, useState } from 'react';
import { useRouter } from '@tanstack/react-router';

import { EmptyState } from '../ui/EmptyState';
import { Button } from '../ui/Button';

// The code is good once, and React may run an effect twice.
let exchange: Promise<string> | undefined;

/** Where the pool sends people back to, with a code. */
export function Callback() {
  const [error, setError] = useState<Error>();
  const router = useRouter();
  useEffect(() => {
    exchange ??= import('../auth/flow').then(({ completeSignIn }) => completeSignIn(new URL(location.href)));
    exchange.then((returnTo) => router.history.replace(returnTo)).catch(setError);
  }, [router]);
  if (!error) {
    return (
      <main>
        <p className="visually-hidden">Signing in…</p>
      </main>
    );
  }
  return (
    <main>
      <div role="alert">
        <EmptyState title="You could not be signed in" icon="cross">
          <p>{error.message}</p>
          <Button look="primary" onClick={() => location.assign('/')}>
            Sign in again
          </Button>
        </EmptyState>
      </div>
    </main>
  );
}
