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

export const apiKeys = (everybodys: boolean) =>
  queryOptions({
    queryKey: ['api-keys', everybodys],
    queryFn: ({ signal }) => read(api.GET('/api-keys', { params: { query: { all: everybodys, limit: 100 } }, signal })),
    placeholderData: keepPreviousData,
    ...live(60),
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

export const modelVersions = (name: string) =>
  queryOptions({
    queryKey: ['models', name, 'versions'],
    queryFn: ({ signal }) => read(api.GET('/models/{model}/versions', { params: { path: { model: name } }, signal })),
    ...live(LIST),
  });

export const modelHistory = (name: string) =>
  queryOptions({
    queryKey: ['models', name, 'history'],
    queryFn: ({ signal }) => read(api.GET('/models/{model}/history', { params: { path: { model: name } }, signal })),
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
