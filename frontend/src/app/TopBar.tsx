import { useColorScheme } from '@mui/material/styles';
import type { ReactNode } from 'react';

import { Icon } from '../ui/Icon';
import { UserMenu } from './UserMenu';

interface Props {
  crumbs: ReactNode;
  onSearch: () => void;
  onShortcuts: () => void;
}

const MODIFIER = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl';

export function TopBar({ crumbs, onSearch, onShortcuts }: Props) {
  return (
    <header className="bar">
      {crumbs}
      <div className="bar-end">
        <button type="button" className="search" onClick={onSearch} aria-label={`Search or jump to (${MODIFIER} K)`}>
          <Icon name="search" size={14} />
          <span className="label">Search or jump to…</span>
          <kbd>{MODIFIER} K</kbd>
        </button>
        <button type="button" className="plain wide-only" onClick={onShortcuts} aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">
          <Icon name="keyboard" />
        </button>
        <ThemeSwitch />
        <UserMenu />
      </div>
    </header>
  );
}

function ThemeSwitch() {
  const { mode, systemMode, setMode } = useColorScheme();
  const dark = (mode === 'system' ? systemMode : mode) === 'dark';
  const name = dark ? 'Use the light theme' : 'Use the dark theme';
  return (
    <button type="button" className="plain" onClick={() => setMode(dark ? 'light' : 'dark')} aria-label={name} title={name}>
      <Icon name={dark ? 'sun' : 'moon'} />
    </button>
  );
}
