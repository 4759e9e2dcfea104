import { useId, type ReactNode } from 'react';

interface Props {
  title?: ReactNode;
  aside?: ReactNode;
  /** Without padding: for tables and lists that reach the edge. */
  flush?: boolean;
  warns?: boolean;
  children: ReactNode;
}

/** A named region of a screen. `aside` stands at the end of its header. */
export function Card({ title, aside, flush = false, warns = false, children }: Props) {
  const id = useId();
  return (
    <section className={warns ? 'card warns' : 'card'} aria-labelledby={title ? id : undefined}>
      {title && (
        <header>
          <h2 id={id}>{title}</h2>
          {aside && <div className="row">{aside}</div>}
        </header>
      )}
      {flush ? children : <div className="body">{children}</div>}
    </section>
  );
}
