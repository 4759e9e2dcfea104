import { Button } from './Button';

interface Props {
  /** The cursor of the page after this one; null on the last. */
  next: string | null | undefined;
  /** The cursor of this page; undefined on the first. */
  cursor: string | undefined;
  onGo: (cursor: string | undefined) => void;
  /** What is shown, in words: `50 of 1,204 runs`. */
  children?: React.ReactNode;
}

/** Forward by cursor, back to the start: the browser's Back goes one page back. */
export function Pager({ next, cursor, onGo, children }: Props) {
  if (!next && !cursor) return children ? <div className="pager meta">{children}</div> : null;
  return (
    <nav className="pager" aria-label="Pages">
      <span className="meta">{children}</span>
      <span className="row">
        {cursor && <Button onClick={() => onGo(undefined)}>First page</Button>}
        {next && <Button onClick={() => onGo(next)}>Next page</Button>}
      </span>
    </nav>
  );
}
