/** Every query of the dashboard: its key, its request, its pace in seconds. A screen takes one of these. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, read } from './client';
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

/** Versions, or runs by the best candidate of each; the first is what the others are held against. */
export const comparison = (ids: string[]) =>
  queryOptions({
    queryKey: ['comparison', ids],
    queryFn: ({ signal }) => read(api.GET('/comparison', { params: { query: { of: ids.join(',') } }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const datasets = (query: Filters<'/datasets'> = {}) =>
  queryOptions({
    queryKey: ['datasets', query],
    queryFn: ({ signal }) => read(api.GET('/datasets', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const dataset = (name: string) =>
  queryOptions({
    queryKey: ['datasets', name],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}', { params: { path: { dataset: name } }, signal })),
    ...live(LIST),
  });

export const datasetVersions = (name: string, query: Filters<'/datasets/{dataset}/versions'>) =>
  queryOptions({
    queryKey: ['datasets', name, 'versions', query],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/versions', { params: { path: { dataset: name }, query }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const arrivedFiles = (name: string) =>
  queryOptions({
    queryKey: ['datasets', name, 'uploads'],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/uploads', { params: { path: { dataset: name } }, signal })),
    ...live(LIST),
  });

/** `version` undefined: the one in force. */
export const contract = (name: string, version?: number) =>
  queryOptions({
    queryKey: ['datasets', name, 'contract', version ?? 0],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/contract', { params: { path: { dataset: name }, query: { version } }, signal })),
    ...live(null),
  });

export const datasetVersion = (name: string, number: number) =>
  queryOptions({
    queryKey: ['datasets', name, 'versions', number],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/versions/{number}', { params: { path: { dataset: name, number } }, signal })),
    ...live(LIST),
  });

export const datasetProfile = (name: string, number: number) =>
  queryOptions({
    queryKey: ['datasets', name, 'versions', number, 'profile'],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/versions/{number}/profile', { params: { path: { dataset: name, number } }, signal })),
    ...live(null),
  });

export const quarantine = (name: string, number: number, query: Filters<'/datasets/{dataset}/versions/{number}/quarantine'>) =>
  queryOptions({
    queryKey: ['datasets', name, 'versions', number, 'quarantine', query],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/versions/{number}/quarantine', { params: { path: { dataset: name, number }, query }, signal })),
    placeholderData: keepPreviousData,
    ...live(null),
  });

export const datasetDiff = (name: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['datasets', name, 'diff', from, to],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/diff', { params: { path: { dataset: name }, query: { from, to } }, signal })),
    ...live(null),
  });

export const batches = (query: Filters<'/inference/batch'>) =>
  queryOptions({
    queryKey: ['batches', query],
    queryFn: ({ signal }) => read(api.GET('/inference/batch', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const batch = (jobId: string) =>
  queryOptions({
    queryKey: ['batches', jobId],
    queryFn: ({ signal }) => read(api.GET('/inference/batch/{job_id}', { params: { path: { job_id: jobId } }, signal })),
    ...live(null),
  });

export const batchQuarantine = (jobId: string) =>
  queryOptions({
    queryKey: ['batches', jobId, 'quarantine'],
    queryFn: ({ signal }) => read(api.GET('/inference/batch/{job_id}/quarantine', { params: { path: { job_id: jobId }, query: { limit: 50 } }, signal })),
    ...live(null),
  });

export const trainingEstimate = (dataset: string) =>
  queryOptions({
    queryKey: ['training', 'estimate', dataset],
    queryFn: ({ signal }) => read(api.GET('/training/estimate', { params: { query: { dataset } }, signal })),
    ...live(null),
  });

export const models = (query: Filters<'/models'> = {}) =>
  queryOptions({
    queryKey: ['models', 'list', query],
    queryFn: ({ signal }) => read(api.GET('/models', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const model = (name: string) =>
  queryOptions({
    queryKey: ['models', name],
    queryFn: ({ signal }) => read(api.GET('/models/{model}', { params: { path: { model: name } }, signal })),
    ...live(LIST),
  });

export const modelVersion = (id: string) =>
  queryOptions({
    queryKey: ['versions', id],
    queryFn: ({ signal }) => read(api.GET('/models/{version}/detail', { params: { path: { version: id } }, signal })),
    ...live(LIST),
  });

/** It never changes: a version is immutable. */
export const evaluation = (id: string) =>
  queryOptions({
    queryKey: ['versions', id, 'evaluation'],
    queryFn: ({ signal }) => read(api.GET('/models/{version}/evaluation', { params: { path: { version: id } }, signal })),
    ...live(null),
  });

export const lineage = (id: string) =>
  queryOptions({
    queryKey: ['versions', id, 'lineage'],
    queryFn: ({ signal }) => read(api.GET('/models/{version}/lineage', { params: { path: { version: id } }, signal })),
    ...live(LIST),
  });

export const monitoring = (query: Filters<'/monitoring'>) =>
  queryOptions({
    queryKey: ['monitoring', query],
    queryFn: ({ signal }) => read(api.GET('/monitoring', { params: { query }, signal })),
    placeholderData: (before, last) => ((last?.queryKey[1] as typeof query | undefined)?.model === query.model ? before : undefined),
    ...live(60),
  });

export const traffic = (query: Filters<'/monitoring/traffic'>) =>
  queryOptions({
    queryKey: ['monitoring', 'traffic', query],
    queryFn: ({ signal }) => read(api.GET('/monitoring/traffic', { params: { query }, signal })),
    ...live(60),
  });

export const driftReports = (query: Filters<'/monitoring/drift'>) =>
  queryOptions({
    queryKey: ['monitoring', 'reports', query],
    queryFn: ({ signal }) => read(api.GET('/monitoring/drift', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    ...live(60),
  });

export const alerts = (query: Filters<'/alerts'>) =>
  queryOptions({
    queryKey: ['alerts', 'list', query],
    queryFn: ({ signal }) => read(api.GET('/alerts', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const alert = (alertId: string) =>
  queryOptions({
    queryKey: ['alerts', alertId],
    queryFn: ({ signal }) => read(api.GET('/alerts/{alert_id}', { params: { path: { alert_id: alertId } }, signal })),
    ...live(LIST),
  });
