/** Short messages after a deed, with a way back where the server has one. */
export interface Message {
  id: number;
  text: string;
  undo?: () => void;
}

type Listener = (message: Message) => void;

const listeners = new Set<Listener>();
let last = 0;

/** Say it for six seconds. */
export function toast(text: string, undo?: () => void): void {
  last += 1;
  for (const listener of listeners) listener({ id: last, text, undo });
}

export function onToast(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
