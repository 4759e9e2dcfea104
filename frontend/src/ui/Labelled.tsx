import { useId, type ReactNode } from 'react';

interface Wiring {
  id: string;
  'aria-invalid'?: true;
  'aria-describedby'?: string;
}

interface Props {
  name: string;
  /** What to know before it is filled in. */
  note?: string;
  /** What is wrong with what was filled in. */
  fault?: string;
  children: (wiring: Wiring) => ReactNode;
}

/** An input with its name above it, and below it what is wrong with it, or what to know. */
export function Labelled({ name, note, fault, children }: Props) {
  const id = useId();
  const said = fault ?? note;
  return (
    <div className="labelled">
      <label htmlFor={id}>{name}</label>
      {children({ id, 'aria-invalid': fault ? true : undefined, 'aria-describedby': said ? `${id}-said` : undefined })}
      {said && (
        <span id={`${id}-said`} className={fault ? 'bad' : 'meta'}>
          {said}
        </span>
      )}
    </div>
  );
}
