import { useEffect, useState } from 'react';

import { Button } from './Button';
import { onToast, type Message } from './toast';

const SHOWN_MS = 6000;

/** Where messages appear; a new one replaces the one before. */
export function Toasts() {
  const [message, setMessage] = useState<Message>();
  useEffect(() => onToast(setMessage), []);
  useEffect(() => {
    if (!message) return;
    const timer = setTimeout(() => setMessage(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [message]);
  const undo = () => {
    message?.undo?.();
    setMessage(undefined);
  };
  return (
    <div className="toasts" role="status">
      {message && (
        <div className="toast" key={message.id}>
          {message.text}
          {message.undo && <Button onClick={undo}>Undo</Button>}
        </div>
      )}
    </div>
  );
}
