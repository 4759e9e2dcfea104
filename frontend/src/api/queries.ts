/** Every query of the dashboard: its key, its request, its pace in seconds. A screen takes one of these. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, read } from './client';
import { appended, type Line } from '../ui/logLines';
import { live } from './pace';
import type { paths } from './schema';

type Filters<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? NonNullable<Q> : never;

const LIST = 30;

export const overview = () =>
  queryOptions({
    queryKey: ['overview'],
    queryFn: ({ signal }) => read(api.GET('/dashboard/overview', { signal })),
    ...live(LIST),
  });

export const activity = (query: Filters<'/activity'>) =>
  queryOptions({
    queryKey: ['activity', query],
    queryFn: ({ signal }) => read(api.GET('/activity', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const runs = (query: Filters<'/runs'>) =>
  queryOptions({
    queryKey: ['runs', query],
    queryFn: ({ signal }) => read(api.GET('/runs', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const run = (runId: string) =>
  queryOptions({
    queryKey: ['runs', runId],
    queryFn: ({ signal }) => read(api.GET('/runs/{run_id}', { params: { path: { run_id: runId } }, signal })),
    ...live(null),
  });

/** A log as far as it was read; `pollAfter` is null once nothing more can come. */
export interface Log {
  lines: Line[];
  cursor: string | undefined;
  pollAfter: number | null;
}

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

export const datasets = (query: Filters<'/datasets'> = {}) =>
  queryOptions({
    queryKey: ['datasets', query],
    queryFn: ({ signal }) => read(api.GET('/datasets', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const trainingEstimate = (dataset: string) =>
  queryOptions({
    queryKey: ['training', 'estimate', dataset],
    queryFn: ({ signal }) => read(api.GET('/training/estimate', { params: { query: { dataset } }, signal })),
    ...live(null),
  });
