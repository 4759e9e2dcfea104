import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import { useState } from 'react';

import { user } from '../auth/session';
import { Icon } from '../ui/Icon';

/** Who is signed in, with which roles, and the way out. */
export function UserMenu() {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const who = user();
  const signOut = async () => (await import('../auth/flow')).signOut();
  return (
    <>
      <button type="button" className="plain" onClick={(event) => setAnchor(event.currentTarget)} aria-haspopup="menu" aria-expanded={anchor !== null} aria-label={`Signed in as ${who?.name ?? 'somebody'}`} title={who?.name}>
        <Icon name="user" />
      </button>
      <Menu open={anchor !== null} anchorEl={anchor} onClose={() => setAnchor(null)} disablePortal>
        <li className="who" role="presentation">
          <div className="strong">{who?.name}</div>
          {who?.email && <div className="meta">{who.email}</div>}
          <div className="meta">{who?.roles.join(', ') || 'no role yet: ask an administrator'}</div>
        </li>
        <MenuItem onClick={() => void signOut()}>Sign out</MenuItem>
      </Menu>
    </>
  );
}
