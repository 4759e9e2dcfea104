import { useEffect, useState } from 'react';

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Milliseconds of rest before a change is told. */
  delay?: number;
}

/** A filter by text. `/` focuses it; what is typed stays while the list is fetched. */
export function SearchField({ label, value, onChange, delay = 300 }: Props) {
  const [typed, setTyped] = useState(value);
  const [told, setTold] = useState(value);
  // The URL changed by other means, for example Back: it wins over what was typed.
  if (value !== told) {
    setTold(value);
    setTyped(value);
  }
  useEffect(() => {
    if (typed === told) return;
    const timer = setTimeout(() => {
      setTold(typed);
      onChange(typed);
    }, delay);
    return () => clearTimeout(timer);
  }, [typed, told, onChange, delay]);
  return <input className="field" type="search" aria-label={label} placeholder={label} value={typed} onChange={(event) => setTyped(event.target.value)} data-filter />;
}
