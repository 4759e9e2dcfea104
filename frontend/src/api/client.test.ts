import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import { server } from '../../test/setup';
import { keep, tokens } from '../auth/session';
import { api, ApiError, read, Unreachable } from './client';

const HOUR = 3_600_000;
const STATS = 'http://millrace.test/api/dashboard/stats';
const CONFIG = { environment: 'test', issuer: 'https://pool', clientId: 'spa', authorizationEndpoint: 'https://pool/authorize', tokenEndpoint: 'https://pool/token', logoutEndpoint: 'https://pool/logout', apiBase: '/api' };
const signIn = (expiresIn = HOUR) => keep({ accessToken: 'first', refreshToken: 'refresh', idToken: null, expiresAt: Date.now() + expiresIn });
const stats = () => read(api.GET('/dashboard/stats', {}));

/** A pool that gives new tokens; how often it was asked. */
function pool(): { asked: number } {
  const seen = { asked: 0 };
  server.use(
    http.get('http://millrace.test/config.json', () => HttpResponse.json(CONFIG)),
    http.post('https://pool/token', () => {
      seen.asked += 1;
      return HttpResponse.json({ access_token: 'second', token_type: 'Bearer', expires_in: 3600 });
    }),
  );
  return seen;
}

test('an answer carries its tag and its pace', async () => {
  signIn();
  server.use(http.get(STATS, ({ request }) => HttpResponse.json({ auth: request.headers.get('Authorization') }, { headers: { ETag: '"7"', 'X-Poll-After': '5' } })));
  expect(await stats()).toEqual({ body: { auth: 'Bearer first' }, etag: '"7"', pollAfter: 5 });
});

test('a problem is thrown with what it says and the fault of a field', async () => {
  signIn();
  const problem = { type: 'InvalidInput', title: 'Wrong', status: 422, detail: 'target: no such column', request_id: 'r-1', fields: [{ field: 'body.target', reason: 'no such column' }] };
  server.use(http.get(STATS, () => HttpResponse.json(problem, { status: 422 })));
  const error = (await stats().catch((each: unknown) => each)) as ApiError;
  expect([error.status, error.message, error.problem.request_id, error.reasonFor('target')]).toEqual([422, 'target: no such column', 'r-1', 'no such column']);
});

test('what the gateway refuses by itself becomes a problem too', async () => {
  signIn();
  server.use(http.get(STATS, () => HttpResponse.json({ message: 'Too Many Requests' }, { status: 429 })));
  await expect(stats()).rejects.toMatchObject({ status: 429, message: 'Too Many Requests' });
});

test('nothing that answers is a sentence', async () => {
  signIn();
  server.use(http.get(STATS, () => HttpResponse.error()));
  await expect(stats()).rejects.toBeInstanceOf(Unreachable);
});

test('requests that find the token expired renew it once, together', async () => {
  signIn(0);
  const seen = pool();
  const sent: Array<string | null> = [];
  server.use(
    http.get(STATS, ({ request }) => {
      sent.push(request.headers.get('Authorization'));
      return HttpResponse.json({});
    }),
  );
  await Promise.all([stats(), stats(), stats()]);
  expect(sent).toEqual(['Bearer second', 'Bearer second', 'Bearer second']);
  expect(seen.asked).toBe(1);
  expect(tokens()?.refreshToken).toBe('refresh');
});

test('a token that the API refuses is renewed and the request sent again', async () => {
  signIn();
  pool();
  server.use(http.get(STATS, ({ request }) => (request.headers.get('Authorization') === 'Bearer second' ? HttpResponse.json({ ok: true }) : new HttpResponse(null, { status: 401 }))));
  expect((await stats()).body).toEqual({ ok: true });
});

test('a session that the pool ends is forgotten', async () => {
  signIn(0);
  server.use(
    http.get('http://millrace.test/config.json', () => HttpResponse.json(CONFIG)),
    http.post('https://pool/token', () => HttpResponse.json({ error: 'invalid_grant' }, { status: 400 })),
  );
  await expect(stats()).rejects.toThrow('You are signed out.');
  expect(tokens()).toBeNull();
});

test('no token is kept where it outlives the tab', async () => {
  signIn();
  expect(JSON.stringify(localStorage)).not.toContain('first');
  expect(location.href).not.toContain('first');
});

test('a problem knows whether all that is wrong has a place in the form', () => {
  const wrong = (detail: string, fields?: string[]) => new ApiError(422, { type: 'InvalidInput', title: 'Wrong', status: 422, detail, request_id: 'r-1', fields: fields?.map((field) => ({ field, reason: 'no' })) });
  expect(wrong('training.trials: 99; training.hyperparameters.xgboost.max_depth: 77').isAbout('training')).toBe(true);
  expect(wrong('body.training.trials: no', ['body.training.trials']).isAbout('dataset_version', 'training')).toBe(true);
  expect(wrong('training.trials: 99; target: none').isAbout('training')).toBe(false);
  expect(wrong('churn has no version that is ready: upload a file first').isAbout('training')).toBe(false);
});
