import { Button } from './Button';
import { Meter } from './Meter';
import { bytes, percent } from './format';
import './fileDrop.css';

interface Props {
  name: string;
  /** Bytes of each part, and how many of them are sent. */
  parts: Array<{ number: number; size: number; sent: number }>;
  /** Why it stands still. */
  broken?: string;
  onResume: () => void;
  onForget: () => void;
}

/** A file on its way, part by part; after a break, the way to go on. */
export function Transferring({ name, parts, broken, onResume, onForget }: Props) {
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  const sent = parts.reduce((sum, part) => sum + part.sent, 0);
  const share = total ? sent / total : null;
  return (
    <div className="transfer">
      <p className="row spread">
        <span className="strong">{name}</span>
        <span className="meta">{total ? `${bytes(sent)} of ${bytes(total)}, ${percent(share, 0)}` : 'Asking where to send it'}</span>
      </p>
      <Meter share={share} label={`Sending ${name}`} />
      {parts.length > 1 && (
        <div className="transfer-parts">
          {parts.map(({ number, size, sent: done }) => (
            <Meter key={number} share={done / size} label={`Part ${number} of ${parts.length}`} />
          ))}
        </div>
      )}
      {broken && (
        <p className="bad" role="alert">
          {broken} What was sent is kept.
        </p>
      )}
      <div className="row end">
        <Button onClick={onForget}>{broken ? 'Give up' : 'Stop'}</Button>
        {broken && (
          <Button look="primary" onClick={onResume}>
            Go on
          </Button>
        )}
      </div>
    </div>
  );
}
