/** The queries of the settings, as queries.ts has those of the other screens. */
import { queryOptions } from '@tanstack/react-query';

import { api, read } from './client';
import { live } from './pace';

/** Schedules, channels and one's own keys. */
export const settings = () =>
  queryOptions({
    queryKey: ['settings'],
    queryFn: ({ signal }) => read(api.GET('/dashboard/settings', { signal })),
    ...live(30),
  });

/** Everybody's, which only an admin asks for. */
export const allApiKeys = (asked: boolean) =>
  queryOptions({
    queryKey: ['settings', 'all keys'],
    queryFn: ({ signal }) => read(api.GET('/api-keys', { params: { query: { all: true, limit: 100 } }, signal })),
    enabled: asked,
    ...live(60),
  });

export const deliveries = (channelId: string) =>
  queryOptions({
    queryKey: ['channels', channelId, 'deliveries'],
    queryFn: ({ signal }) => read(api.GET('/channels/{channel_id}/deliveries', { params: { path: { channel_id: channelId } }, signal })),
    ...live(5),
  });
