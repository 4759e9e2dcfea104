import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';

import { ApiError } from '../api/client';
import { ButtonLink } from '../ui/Button';
import { EmptyState } from '../ui/EmptyState';
import { Failure } from '../ui/Loaded';
import { Page } from '../ui/Page';

export function NotFound() {
  return (
    <Page title="There is no such page">
      <EmptyState title="The address is wrong, or what it named is gone" icon="question">
        <ButtonLink to="/" look="primary">
          Go to the overview
        </ButtonLink>
      </EmptyState>
    </Page>
  );
}

/** An address of no screen at all has no frame around it. */
export function Nowhere() {
  return (
    <main>
      <NotFound />
    </main>
  );
}

/** A screen that could not be shown: what the API refused, or a fault of ours. */
export function ScreenError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = () => {
    reset();
    void router.invalidate();
  };
  if (error instanceof ApiError && error.status === 403) return <NotAllowed reason={error.message} />;
  return (
    <Page title="Something went wrong">
      <Failure error={error instanceof Error ? error : new Error(String(error))} retry={again} />
    </Page>
  );
}

function NotAllowed({ reason }: { reason: string }) {
  return (
    <Page title="You may not see this">
      <EmptyState title="Your roles do not allow it" icon="cross">
        <p>{reason}</p>
        <ButtonLink to="/">Go to the overview</ButtonLink>
      </EmptyState>
    </Page>
  );
}
