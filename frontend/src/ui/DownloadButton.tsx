import { useState, type ReactNode } from 'react';

import { Button } from './Button';
import { toast } from './toast';

interface Props {
  /** Where the file is: asked for at the press, because addresses are good for minutes. */
  address: () => Promise<string>;
  name?: string;
  children: ReactNode;
}

/** Fetches a file as the browser does it: nothing of it goes through the page. */
export function DownloadButton({ address, name, children }: Props) {
  const [busy, setBusy] = useState(false);
  const fetchIt = async () => {
    setBusy(true);
    try {
      window.location.assign(await address());
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button onClick={() => void fetchIt()} loading={busy} aria-label={name}>
      {children}
    </Button>
  );
}
