/** The queries of the settings, as queries.ts has those of the other screens. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';

import { api, read } from './client';
import { live } from './pace';

const LIST = 30;

export const apiKeys = (everybodys: boolean) =>
  queryOptions({
    queryKey: ['api-keys', everybodys],
    queryFn: ({ signal }) => read(api.GET('/api-keys', { params: { query: { all: everybodys, limit: 100 } }, signal })),
    placeholderData: keepPreviousData,
    ...live(60),
  });

export const schedules = () =>
  queryOptions({
    queryKey: ['schedules'],
    queryFn: ({ signal }) => read(api.GET('/schedules', { params: { query: { limit: 100 } }, signal })),
    ...live(LIST),
  });

export const channels = () =>
  queryOptions({
    queryKey: ['channels'],
    queryFn: ({ signal }) => read(api.GET('/channels', { signal })),
    ...live(60),
  });

export const deliveries = (channelId: string) =>
  queryOptions({
    queryKey: ['channels', channelId, 'deliveries'],
    queryFn: ({ signal }) => read(api.GET('/channels/{channel_id}/deliveries', { params: { path: { channel_id: channelId } }, signal })),
    ...live(5),
  });
