/** Files go to the bucket in parts, straight from here: the API gives each part an address, and no byte passes it. */
import type { Schemas } from './client';

type Ticket = Schemas['UploadTicket'];

/** How far each part is, in bytes, in the order of the file. */
export type Progress = Array<{ number: number; size: number; sent: number }>;

/** A part did not arrive. What arrived stays: go on from there. */
export class Interrupted extends Error {
  constructor() {
    super('The connection broke while the file was being sent.');
  }
}

/** A part without an address has arrived already. */
export function progressOf(ticket: Ticket): Progress {
  return ticket.parts.map(({ number, size_bytes, address }) => ({ number, size: size_bytes, sent: address === null ? size_bytes : 0 }));
}

/** Send what is missing, one part after the other; never more than the browser's own buffer of a part is in memory. Raises Interrupted. */
export async function sendMissing(ticket: Ticket, file: File, onProgress: (number: number, sent: number) => void, signal: AbortSignal): Promise<void> {
  for (const { number, size_bytes, address } of ticket.parts) {
    if (address === null) continue;
    const start = (number - 1) * ticket.part_bytes;
    await put(address, file.slice(start, start + size_bytes), (sent) => onProgress(number, sent), signal);
    onProgress(number, size_bytes);
  }
}

/** `fetch` does not say how far a request is: this does. */
function put(address: string, part: Blob, onProgress: (sent: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open('PUT', address);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => (request.status === 200 ? resolve() : reject(new Interrupted()));
    request.onerror = () => reject(new Interrupted());
    request.onabort = () => reject(new Interrupted());
    request.onloadend = () => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    else request.send(part);
  });
}
