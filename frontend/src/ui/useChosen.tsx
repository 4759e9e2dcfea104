import { useState, type ReactNode } from 'react';

import { Button, ButtonLink } from './Button';
import { chosenIn, MOST_CHOSEN, toggled } from './chosen';

export interface Choice {
  selected: string[];
  onSelect: (id: string) => void;
  /** What is chosen and what can be done with it; nothing while nothing is chosen. */
  bar: ReactNode;
}

/** Rows chosen in a table to be compared. `text` is what the URL holds, `onChange` writes it there. */
export function useChosen(text: string | undefined, onChange: (text: string | undefined) => void): Choice {
  const selected = chosenIn(text);
  const [refused, setRefused] = useState(false);
  const keep = (ids: string[]) => onChange(ids.join(',') || undefined);
  const onSelect = (id: string) => {
    const next = toggled(selected, id);
    setRefused(next === null);
    if (next) keep(next);
  };
  const bar = selected.length > 0 && (
    <div className="row chosen" role="group" aria-label="Chosen">
      <span>{selected.length} chosen</span>
      {selected.length > 1 ? (
        <ButtonLink look="primary" to="/runs/compare" search={{ ids: selected.join(',') }}>
          Compare
        </ButtonLink>
      ) : (
        <span className="quiet">Choose one more to compare</span>
      )}
      <Button look="quiet" onClick={() => keep([])}>
        Choose none
      </Button>
      {refused && (
        <span role="alert" className="bad">
          At most {MOST_CHOSEN} are compared at once: take one away first.
        </span>
      )}
    </div>
  );
  return { selected, onSelect, bar };
}
