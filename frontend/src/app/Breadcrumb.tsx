import { Link, useRouterState } from '@tanstack/react-router';

import { PLACES } from './places';

/** Where this screen is, from its path: `Models / churn / 8`. */
export function Breadcrumb() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const crumbs = crumbsOf(path);
  return (
    <nav className="crumbs" aria-label="Breadcrumb">
      <ol>
        {crumbs.map(({ name, to }, index) => (
          <li key={to}>{index === crumbs.length - 1 ? <span aria-current="page">{name}</span> : <Link to={to as '/'}>{name}</Link>}</li>
        ))}
      </ol>
    </nav>
  );
}

export function crumbsOf(path: string): Array<{ name: string; to: string }> {
  const parts = path.split('/').filter(Boolean);
  if (parts.length === 0) return [{ name: 'Overview', to: '/' }];
  return parts.map((part, index) => {
    const to = `/${parts.slice(0, index + 1).join('/')}`;
    const place = PLACES.find((each) => each.path === to);
    return { name: place?.name ?? decodeURIComponent(part), to };
  });
}
