import type { IconName } from '../ui/Icon';

export interface Place {
  path: '/' | '/runs' | '/models' | '/datasets' | '/predictions' | '/monitoring' | '/alerts' | '/activity' | '/settings';
  name: string;
  icon: IconName;
  /** Second key after `g`. */
  key: string;
  rail: 'main' | 'foot';
}

/** What the rail, the palette and the `g` shortcuts lead to. A new area is one line here and its route in routes.tsx. */
export const PLACES: Place[] = [
  { path: '/', name: 'Overview', icon: 'home', key: 'o', rail: 'main' },
  { path: '/runs', name: 'Runs', icon: 'play', key: 'r', rail: 'main' },
  { path: '/models', name: 'Models', icon: 'cube', key: 'm', rail: 'main' },
  { path: '/datasets', name: 'Datasets', icon: 'database', key: 'd', rail: 'main' },
  { path: '/predictions', name: 'Predictions', icon: 'spark', key: 'p', rail: 'main' },
  { path: '/monitoring', name: 'Monitoring', icon: 'pulse', key: 't', rail: 'main' },
  { path: '/alerts', name: 'Alerts', icon: 'triangle', key: 'l', rail: 'foot' },
  { path: '/activity', name: 'Activity', icon: 'list', key: 'a', rail: 'foot' },
  { path: '/settings', name: 'Settings', icon: 'gear', key: 's', rail: 'foot' },
];
