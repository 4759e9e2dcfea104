import { useEffect, type ReactNode } from 'react';

import { Dated } from './Dated';

interface Props {
  /** The answer to the question that the screen is for. */
  title: ReactNode;
  /** The title as text, for the tab, where `title` is not text. */
  tab?: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** The frame of every screen: its only h1, its actions, the title of the tab. */
export function Page({ title, tab, subtitle, actions, children }: Props) {
  const name = tab ?? (typeof title === 'string' ? title : undefined);
  useEffect(() => {
    if (name) document.title = `${name} · Millrace`;
  }, [name]);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1 tabIndex={-1}>{typeof title === 'string' ? <Dated>{title}</Dated> : title}</h1>
          {subtitle && <div className="quiet row">{subtitle}</div>}
        </div>
        {actions && <div className="row">{actions}</div>}
      </div>
      {children}
    </div>
  );
}
