import type { ReactNode } from 'react';

import { Icon, type IconName } from './Icon';

/** What a state means to the reader; the palette in tokens.css has a pair of colours for each. */
export type StatusKind = 'good' | 'busy' | 'waiting' | 'stopped' | 'bad' | 'watch' | 'ask';

const LOOKS: Record<StatusKind, { look: string; icon: IconName }> = {
  good: { look: 'is-good', icon: 'check' },
  busy: { look: 'is-busy', icon: 'ring' },
  waiting: { look: 'is-quiet', icon: 'clock' },
  stopped: { look: 'is-quiet', icon: 'square' },
  bad: { look: 'is-bad', icon: 'cross' },
  watch: { look: 'is-watch', icon: 'triangle' },
  ask: { look: 'is-ask', icon: 'question' },
};

export function statusLook(kind: StatusKind): string {
  return LOOKS[kind].look;
}

/** A state as icon, word and colour: never colour alone. */
export function Status({ kind, children }: { kind: StatusKind; children: ReactNode }) {
  return (
    <span className={`badge ${LOOKS[kind].look}`}>
      <Icon name={LOOKS[kind].icon} size={12} />
      {children}
    </span>
  );
}
