/** Every query of the dashboard: its key, its request, its pace in seconds. A screen takes one of these. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, read } from './client';
import { live } from './pace';
import type { paths } from './schema';

type Filters<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? NonNullable<Q> : never;

const LIST = 30;
/** Rows of a page. */
const PAGE = 50;

export const overview = () =>
  queryOptions({
    queryKey: ['overview'],
    queryFn: ({ signal }) => read(api.GET('/dashboard/overview', { signal })),
    ...live(LIST),
  });

export const activity = (query: Filters<'/activity'>) =>
  queryOptions({
    queryKey: ['activity', query],
    queryFn: ({ signal }) => read(api.GET('/activity', { params: { query: { ...query, limit: PAGE } }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const runs = (query: Filters<'/runs'>) =>
  queryOptions({
    queryKey: ['runs', query],
    queryFn: ({ signal }) => read(api.GET('/runs', { params: { query: { ...query, limit: PAGE } }, signal })),
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

export const datasets = (query: Filters<'/datasets'>) =>
  queryOptions({
    queryKey: ['datasets', query],
    queryFn: ({ signal }) => read(api.GET('/datasets', { params: { query: { ...query, limit: PAGE } }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

/** A dataset with the first page of its versions, the files that arrived last, the contract in force. */
export const dataset = (name: string) =>
  queryOptions({
    queryKey: ['datasets', name],
    queryFn: ({ signal }) => read(api.GET('/dashboard/datasets/{dataset}', { params: { path: { dataset: name } }, signal })),
    ...live(LIST),
  });

/** The pages after the first, which came with the dataset. */
export const datasetVersions = (name: string, cursor: string | undefined) =>
  queryOptions({
    queryKey: ['datasets', name, 'versions', { cursor }],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/versions', { params: { path: { dataset: name }, query: { cursor, limit: PAGE } }, signal })),
    enabled: Boolean(cursor),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

/** A version with its profile, the first rows that were set aside, and what it can be held against. */
export const datasetVersion = (name: string, number: number) =>
  queryOptions({
    queryKey: ['datasets', name, 'versions', number],
    queryFn: ({ signal }) => read(api.GET('/dashboard/datasets/{dataset}/versions/{number}', { params: { path: { dataset: name, number } }, signal })),
    ...live(LIST),
  });

/** The pages after the first, which came with the version. */
export const quarantine = (name: string, number: number, cursor: string | undefined) =>
  queryOptions({
    queryKey: ['datasets', name, 'versions', number, 'quarantine', { cursor }],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/versions/{number}/quarantine', { params: { path: { dataset: name, number }, query: { cursor, limit: 20 } }, signal })),
    enabled: Boolean(cursor),
    placeholderData: keepPreviousData,
    ...live(null),
  });

/** A comparison that somebody asks for. */
export const datasetDiff = (name: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['datasets', name, 'diff', from, to],
    queryFn: ({ signal }) => read(api.GET('/datasets/{dataset}/diff', { params: { path: { dataset: name }, query: { from, to } }, signal })),
    ...live(null),
  });

/** The models that answer, the form of one of them, the first page of jobs. */
export const predictions = (model: string | undefined) =>
  queryOptions({
    queryKey: ['batches', 'screen', model ?? ''],
    queryFn: ({ signal }) => read(api.GET('/dashboard/predictions', { params: { query: { model } }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

/** The pages after the first, which came with the models that answer. */
export const batches = (cursor: string | undefined) =>
  queryOptions({
    queryKey: ['batches', { cursor }],
    queryFn: ({ signal }) => read(api.GET('/inference/batch', { params: { query: { cursor, limit: 20 } }, signal })),
    enabled: Boolean(cursor),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

/** A job with the first rows that were refused. */
export const batch = (jobId: string) =>
  queryOptions({
    queryKey: ['batches', jobId],
    queryFn: ({ signal }) => read(api.GET('/dashboard/predictions/{job_id}', { params: { path: { job_id: jobId } }, signal })),
    ...live(null),
  });

/** What can be trained on, what a run may be told, and what it takes. */
export const training = (dataset: string | undefined) =>
  queryOptions({
    queryKey: ['training', dataset ?? ''],
    queryFn: ({ signal }) => read(api.GET('/training/options', { params: { query: { dataset } }, signal })),
    placeholderData: keepPreviousData,
    ...live(null),
  });

export const models = (query: Filters<'/models'>) =>
  queryOptions({
    queryKey: ['models', 'list', query],
    queryFn: ({ signal }) => read(api.GET('/models', { params: { query: { ...query, limit: PAGE } }, signal })),
    placeholderData: keepPreviousData,
    ...live(LIST),
  });

export const model = (name: string) =>
  queryOptions({
    queryKey: ['models', name],
    queryFn: ({ signal }) => read(api.GET('/models/{model}', { params: { path: { model: name } }, signal })),
    ...live(LIST),
  });

/** A version with its evaluation, its lineage, and what it had to beat. */
export const modelVersion = (id: string) =>
  queryOptions({
    queryKey: ['versions', id],
    queryFn: ({ signal }) => read(api.GET('/dashboard/models/{version}', { params: { path: { version: id } }, signal })),
    ...live(LIST),
  });

/** The models, and of one of them its drift, its requests and its reports. What is shown stays while the next comes. */
export const monitoring = (query: Filters<'/dashboard/monitoring'>) =>
  queryOptions({
    queryKey: ['monitoring', query],
    queryFn: ({ signal }) => read(api.GET('/dashboard/monitoring', { params: { query }, signal })),
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
