import { useEffect, useState } from 'react';

import { tokens } from '../auth/session';
import { Failure } from '../ui/Loaded';
import { Shell } from './Shell';
import { goToSignIn } from './goToSignIn';

/** Everything behind the sign-in. Who has no session is sent to get one, and comes back to this address. */
export function SignedIn() {
  const [error, setError] = useState<Error>();
  const known = tokens() !== null;
  useEffect(() => {
    if (!known) goToSignIn().catch(setError);
  }, [known]);
  if (known) return <Shell />;
  return <main>{error ? <Failure error={error} retry={() => location.reload()} /> : <p className="visually-hidden">Going to the sign-in page…</p>}</main>;
}
