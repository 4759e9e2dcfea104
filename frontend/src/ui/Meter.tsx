/** How far something is, from 0 to 1; `label` says it in words. Null: it is not known, or not begun. */
export function Meter({ share, label }: { share: number | null; label: string }) {
  const shown = share === null ? null : Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div className="meter" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={shown ?? undefined}>
      {shown !== null && <span style={{ width: `${shown}%` }} />}
    </div>
  );
}
