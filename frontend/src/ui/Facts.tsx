import type { ReactNode } from 'react';

/** Named figures in a line; a fact without a value is left out. */
export function Facts({ facts }: { facts: Array<[name: string, value: ReactNode]> }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return (
    <dl className="facts">
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
