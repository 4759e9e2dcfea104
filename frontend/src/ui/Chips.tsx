interface Chip<Value extends string> {
  value: Value;
  name: string;
  /** Null while it is not known. */
  count?: number | null;
}

interface Props<Value extends string> {
  label: string;
  chips: Chip<Value>[];
  chosen: Value | undefined;
  /** Undefined: the chosen chip was pressed again. */
  onChoose: (value: Value | undefined) => void;
}

/** Filters with counts, one at a time. */
export function Chips<Value extends string>({ label, chips, chosen, onChoose }: Props<Value>) {
  return (
    <div className="chips" role="group" aria-label={label}>
      {chips.map(({ value, name, count }) => (
        <button key={value} type="button" className="chip" aria-pressed={chosen === value} onClick={() => onChoose(chosen === value ? undefined : value)}>
          {name}
          {count !== undefined && <span className="chip-count">{count}</span>}
        </button>
      ))}
    </div>
  );
}
