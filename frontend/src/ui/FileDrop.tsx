import { useRef, useState, type DragEvent } from 'react';

import { Button } from './Button';
import { Icon } from './Icon';
import './fileDrop.css';

interface Props {
  /** What dropping does: `Send a file to churn`. */
  label: string;
  /** Endings that are taken, in lower case: `.csv`. */
  endings: string[];
  disabled?: boolean;
  onFile: (file: File) => void;
}

/** One file, dropped or chosen. What has another ending is refused here, and nothing is sent. */
export function FileDrop({ label, endings, disabled = false, onFile }: Props) {
  const [over, setOver] = useState(false);
  const [refused, setRefused] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (!file || disabled) return;
    const fault = faultOf(file, files.length, endings);
    setRefused(fault);
    if (!fault) onFile(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const drag = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  return (
    <div className={over ? 'file-drop over' : 'file-drop'} role="group" aria-label={label} onDragOver={drag} onDragLeave={() => setOver(false)} onDrop={drop}>
      <Icon name="upload" size={22} />
      <p className="strong">Drop a file here</p>
      <p className="meta">{endings.join(', ')}, up to 500 GB</p>
      <input
        ref={input}
        type="file"
        className="visually-hidden"
        tabIndex={-1}
        aria-label={label}
        accept={endings.join(',')}
        onChange={(event) => {
          take(event.target.files);
          event.target.value = '';
        }}
      />
      <Button onClick={() => input.current?.click()} disabled={disabled}>
        Choose a file…
      </Button>
      {refused && (
        <p className="bad" role="alert">
          {refused}
        </p>
      )}
    </div>
  );
}

/** Why this is not sent; undefined when it may be. */
export function faultOf(file: Pick<File, 'name' | 'size'>, files: number, endings: string[]): string | undefined {
  if (files > 1) return 'One file at a time: each becomes a version of its own.';
  if (!endings.some((ending) => file.name.toLowerCase().endsWith(ending))) return `${file.name} is none of ${endings.join(', ')}: nothing was sent.`;
  if (file.size === 0) return `${file.name} is empty: nothing was sent.`;
  return undefined;
}
