import Dialog from '@mui/material/Dialog';
import { useId, useState, type FormEvent, type ReactNode } from 'react';

import { ApiError } from '../../api/client';
import { Button } from '../../ui/Button';
import '../../ui/dialog.css';

interface Props {
  title: string;
  act: string;
  /** Rejects with the error to show; what was typed stays. */
  onSend: (said: FormData) => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}

/** A small form: its fields are native inputs with names. */
export function FormDialog({ title, act, onSend, onClose, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const id = useId();
  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const said = new FormData(event.currentTarget);
    setBusy(true);
    setFault(undefined);
    try {
      await onSend(said);
    } catch (error) {
      setFault(faultOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="sm">
      <form className="dialog" onSubmit={(event) => void send(event)} noValidate>
        <h2 id={id}>{title}</h2>
        {children}
        {fault && (
          <p className="bad" role="alert">
            {fault}
          </p>
        )}
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" loading={busy}>
            {act}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the platform said, field by field where it named them. */
function faultOf(error: unknown): string {
  if (error instanceof ApiError && error.problem.fields?.length) return error.problem.fields.map(({ field, reason }) => `${field.replace('body.', '')}: ${reason}`).join('. ');
  return error instanceof Error ? error.message : String(error);
}
