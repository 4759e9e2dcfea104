import type { IconName } from '../ui/Icon';
import { PLACES } from './places';

export interface Entry {
  path: string;
  name: string;
  kind: string;
  icon: IconName;
}

/** What the text may mean: pages by name. */
export function entriesFor(text: string): Entry[] {
  const wanted = text.trim().toLowerCase();
  return PLACES.filter(({ name }) => name.toLowerCase().includes(wanted)).map(({ path, name, icon }) => ({ path, name, kind: 'page', icon }));
}
