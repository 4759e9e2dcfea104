import Dialog from '@mui/material/Dialog';
import { useId, useRef, useState, type FormEvent, type KeyboardEvent, type ReactNode } from 'react';

import { Button } from './Button';
import './dialog.css';

interface Props {
  /** Names the thing and the deed: `Approve churn v8?` */
  title: string;
  /** What will happen, in words. */
  children: ReactNode;
  act: string;
  danger?: boolean;
  /** Without it no reason is asked for. */
  reason?: { label: string; shortest: number };
  /** Rejects with the error to show; the dialog stays, and what was typed with it. */
  onAct: (reason: string) => Promise<unknown>;
  onClose: () => void;
}

/** Says the consequence, asks for the reason, and shows what the platform answered. Ctrl+Enter sends. */
export function DecisionDialog({ title, children, act, danger = false, reason, onAct, onClose }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const input = useRef<HTMLTextAreaElement>(null);
  const id = useId();

  async function send() {
    if (busy) return;
    const said = input.current?.value.trim() ?? '';
    if (reason && said.length < reason.shortest) {
      setError(`Say why in at least ${reason.shortest} characters: it is kept with the decision.`);
      input.current?.focus();
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      await onAct(said);
      onClose();
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
      setBusy(false);
    }
  }

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send();
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={`${id}-title`} fullWidth maxWidth="sm">
      <form className="dialog" onSubmit={submit} onKeyDown={keys} noValidate>
        <h2 id={`${id}-title`}>{title}</h2>
        <div>{children}</div>
        {reason && (
          <label className="labelled">
            <span>{reason.label}</span>
            <textarea ref={input} className="field" rows={3} autoFocus maxLength={2000} aria-invalid={error ? true : undefined} aria-describedby={error ? `${id}-error` : undefined} />
          </label>
        )}
        {error && (
          <p id={`${id}-error`} className="bad" role="alert">
            {error}
          </p>
        )}
        <div className="row end">
          <Button type="button" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look={danger ? 'danger' : 'primary'} loading={busy}>
            {act}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
