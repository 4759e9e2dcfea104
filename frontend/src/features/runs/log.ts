/** A run's log, read on from where the last answer ended. */
import { queryOptions } from '@tanstack/react-query';

import { api, read } from '../../api/client';
import { live } from '../../api/pace';
import { appended, type Line } from '../../ui/logLines';

/** `pollAfter` is null once nothing more can come. */
export interface Log {
  lines: Line[];
  cursor: string | undefined;
  pollAfter: number | null;
}

/** Of a run that has ended there may be more lines than one answer holds. */
const NEXT_LINES = 1;

export const runLog = (runId: string) => {
  const queryKey = ['runs', runId, 'log'];
  return queryOptions({
    queryKey,
    queryFn: async ({ signal, client }): Promise<Log> => {
      const before = client.getQueryData<Log>(queryKey);
      const query = { cursor: before?.cursor };
      const { body, pollAfter } = await read(api.GET('/runs/{run_id}/logs', { params: { path: { run_id: runId }, query }, signal }));
      const more = body.lines.map(({ at, job, text }) => ({ at, source: job, text }));
      return { lines: appended(before?.lines ?? [], more), cursor: body.next_cursor, pollAfter: pollAfter ?? (more.length ? NEXT_LINES : null) };
    },
    ...live(null),
  });
};

/** The line on which a job said why it failed: its last error, else its last line. Undefined without a line of it. */
export function causeOf(lines: Line[], job: string | undefined): number | undefined {
  const own = lines.filter(({ source }) => source === job);
  return (own.findLast(({ level }) => level === 'ERROR') ?? own.at(-1))?.number;
}
