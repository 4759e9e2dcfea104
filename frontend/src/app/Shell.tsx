import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useRouter, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

import { overview } from '../api/queries';
import { Toasts } from '../ui/Toasts';
import { Breadcrumb } from './Breadcrumb';
import { Palette } from './Palette';
import { PLACES, type Place } from './places';
import { ShortcutSheet } from './ShortcutSheet';
import { useShortcuts } from './shortcuts';
import { TopBar } from './TopBar';
import { Icon } from '../ui/Icon';

type Overlay = 'palette' | 'shortcuts' | null;

/** The frame around every screen: rail, top bar, what keys open. */
export function Shell() {
  const [overlay, setOverlay] = useState<Overlay>(null);
  const router = useRouter();
  useShortcuts({
    openPalette: () => setOverlay('palette'),
    openSheet: () => setOverlay('shortcuts'),
    go: (place) => void router.navigate({ to: place.path }),
  });
  const main = useFocusOnNavigation();
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Rail />
      <TopBar crumbs={<Breadcrumb />} onSearch={() => setOverlay('palette')} onShortcuts={() => setOverlay('shortcuts')} />
      <main id="main" tabIndex={-1} ref={main}>
        <Outlet />
      </main>
      <Toasts />
      {overlay === 'palette' && <Palette onClose={() => setOverlay(null)} />}
      {overlay === 'shortcuts' && <ShortcutSheet onClose={() => setOverlay(null)} />}
    </div>
  );
}

/** How often the rail asks by itself; the overview and decisions renew what it shows at once. */
const RAIL_MS = 60_000;

function Rail() {
  const { data } = useQuery({ ...overview(), refetchInterval: RAIL_MS });
  const waiting = data?.body.pending_approvals ?? 0;
  const railItem = (place: Place) => <RailItem key={place.path} place={place} waiting={place.name === 'Models' ? waiting : 0} />;
  return (
    <nav className="rail" aria-label="Areas">
      <Link to="/" className="brand" aria-label="Millrace, overview">
        <img src="/favicon.svg" alt="" width={22} height={22} />
        <span className="label">Millrace</span>
      </Link>
      <ul>{PLACES.filter((place) => place.rail === 'main').map(railItem)}</ul>
      <ul className="foot">{PLACES.filter((place) => place.rail === 'foot').map(railItem)}</ul>
    </nav>
  );
}

function RailItem({ place: { path, name, icon }, waiting }: { place: Place; waiting: number }) {
  const label = waiting ? `${name}, ${waiting} waiting for a decision` : name;
  return (
    <li>
      <Link to={path} activeOptions={{ exact: path === '/', includeSearch: false }} activeProps={{ 'aria-current': 'page' }} aria-label={label} title={label}>
        <Icon name={icon} />
        <span className="label">{name}</span>
        {waiting > 0 && <span className="count">{waiting}</span>}
      </Link>
    </li>
  );
}

/** A new screen is announced by focus on its heading; filters in the URL are no new screen. */
function useFocusOnNavigation() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const shown = useRef(path);
  useEffect(() => {
    if (path === undefined || shown.current === path) return;
    const first = shown.current === undefined;
    shown.current = path;
    if (!first) main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [path]);
  return main;
}
