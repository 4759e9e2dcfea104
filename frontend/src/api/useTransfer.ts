import { useEffect, useRef, useState } from 'react';

import { api, ApiError, done, type Schemas } from './client';
import { progressOf, sendMissing, type Progress } from './transfer';

type Ticket = Schemas['UploadTicket'];

export interface Transfer {
  state: 'idle' | 'sending' | 'broken' | 'sent';
  file?: File;
  parts: Progress;
  error?: Error;
  /** Send a file; one that was begun in this tab before goes on where it broke. */
  send: (file: File) => void;
  resume: () => void;
  forget: () => void;
}

/**
 * A file on its way to a dataset's or a model's folder. `begin` asks for the addresses of its parts, `finish` says that all are
 * there; between them a break costs only the part it hit.
 */
export function useTransfer(owner: string, begin: (file: File) => Promise<Ticket>, finish: (ticket: Ticket) => Promise<unknown>): Transfer {
  const [now, setNow] = useState<Pick<Transfer, 'state' | 'file' | 'parts' | 'error'>>({ state: 'idle', parts: [] });
  const sending = useRef<AbortController>(undefined);
  useEffect(() => () => sending.current?.abort(), []);

  const go = async (file: File) => {
    sending.current?.abort();
    const control = new AbortController();
    sending.current = control;
    setNow({ state: 'sending', file, parts: [] });
    try {
      const ticket = (await begun(owner, file)) ?? (await begin(file));
      sessionStorage.setItem(keyOf(owner, file), ticket.upload_id);
      setNow({ state: 'sending', file, parts: progressOf(ticket) });
      const onProgress = (number: number, sent: number) =>
        setNow((before) => ({ ...before, parts: before.parts.map((part) => (part.number === number ? { ...part, sent: Math.min(sent, part.size) } : part)) }));
      await sendMissing(ticket, file, onProgress, control.signal);
      await finish(ticket);
      sessionStorage.removeItem(keyOf(owner, file));
      setNow((before) => ({ ...before, state: 'sent' }));
    } catch (error) {
      if (sending.current === control) setNow((before) => ({ ...before, state: 'broken', error: error as Error }));
    }
  };
  return {
    ...now,
    send: (file) => void go(file),
    resume: () => now.file && void go(now.file),
    forget: () => {
      sending.current?.abort();
      sending.current = undefined;
      setNow({ state: 'idle', parts: [] });
    },
  };
}

/** The same file on the same way, as far as a browser can tell. */
function keyOf(owner: string, { name, size, lastModified }: File): string {
  return `millrace.transfer ${owner} ${name} ${size} ${lastModified}`;
}

/** Its ticket with new addresses for what is missing, if it was begun and is still open. */
async function begun(owner: string, file: File): Promise<Ticket | undefined> {
  const id = sessionStorage.getItem(keyOf(owner, file));
  if (!id) return undefined;
  try {
    const ticket = await done(api.GET('/datasets/{dataset}/uploads/{upload_id}', { params: { path: { dataset: owner, upload_id: id } } }));
    return ticket.state === 'OPEN' ? ticket : undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
