import type { ReactNode } from 'react';

import { Icon, type IconName } from './Icon';

/** Nothing to show, and what to do about it. */
export function EmptyState({ title, icon = 'search', children }: { title: string; icon?: IconName; children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} size={22} />
      <p className="strong">{title}</p>
      {children}
    </div>
  );
}
