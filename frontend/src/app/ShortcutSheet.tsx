import Dialog from '@mui/material/Dialog';

import { Button } from '../ui/Button';
import { PLACES } from './places';

const KEYS: Array<[keys: string, does: string]> = [
  ['Ctrl K', 'Search or jump to a page, model or run'],
  ['?', 'Show these shortcuts'],
  ['/', 'Focus the filter of a list'],
  ['j  k', 'Next, previous row'],
  ['Enter', 'Open the row'],
  ['x', 'Select the row'],
  ['Ctrl Enter', 'Send a decision'],
  ['Esc', 'Close what is open'],
];

export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const places = PLACES.map(({ key, name }): [string, string] => [`g ${key}`, `Go to ${name}`]);
  return (
    <Dialog open onClose={onClose} aria-labelledby="shortcuts-title">
      <div className="dialog">
        <h2 id="shortcuts-title">Keyboard shortcuts</h2>
        <dl className="shortcuts">
          {[...KEYS, ...places].map(([keys, does]) => (
            <div key={keys}>
              <dt>
                <kbd>{keys}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <div className="row end">
          <Button onClick={onClose} autoFocus>
            Close
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
