import Dialog from '@mui/material/Dialog';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type KeyboardEvent } from 'react';

import { overview } from '../api/queries';
import { Icon } from '../ui/Icon';
import { entriesFor, type Entry } from './paletteEntries';

/** Ctrl K: type a page, a model, a run; arrows choose, Enter goes. In the shell's chunk, so that no key is lost. */
export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const known = useQuery({ ...overview(), refetchInterval: false });
  const entries = entriesFor(text, known.data?.body);
  const chosen = entries[Math.min(at, entries.length - 1)];

  const open = (entry: Entry) => {
    onClose();
    void navigate({ to: entry.path });
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(at + 1, entries.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
    else if (event.key === 'Enter' && chosen) open(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" className="palette" slotProps={{ paper: { 'aria-label': 'Search or jump to' } }}>
      <div onKeyDown={press}>
        <input
          autoFocus
          role="combobox"
          aria-label="Search or jump to"
          aria-expanded="true"
          aria-controls="palette-entries"
          aria-activedescendant={chosen && `entry-${entries.indexOf(chosen)}`}
          placeholder="Page, model or run…"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
        />
        <ul id="palette-entries" role="listbox" aria-label="Results">
          {entries.map((entry, index) => (
            <li key={entry.path} id={`entry-${index}`} role="option" aria-selected={entry === chosen} onClick={() => open(entry)} onMouseMove={() => setAt(index)}>
              <Icon name={entry.icon} />
              <span>{entry.name}</span>
              <span className="meta">{entry.kind}</span>
            </li>
          ))}
        </ul>
        {entries.length === 0 && <p className="empty quiet">Nothing is called so.</p>}
      </div>
    </Dialog>
  );
}
