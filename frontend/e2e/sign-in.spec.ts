import { expect, test, type Request } from '@playwright/test';

import { signInAs } from './people';

const DEEP_LINK = '/activity?actor=user%3Ademo';

test('S1 signing in is a code with PKCE, and no token is left where others look', async ({ page }) => {
  const seen: string[] = [];
  page.on('request', (request) => seen.push(request.url()));
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  const asked = page.waitForRequest((request) => request.url().includes('/oauth2/authorize'));

  await page.goto('/');
  const query = new URL((await asked).url()).searchParams;
  await signInAs(page, 'demo');

  expect(query.get('response_type')).toBe('code');
  expect(query.get('code_challenge_method')).toBe('S256');
  expect(query.get('code_challenge')).toMatch(/^[\w-]{43}$/);
  expect(query.get('state')?.length).toBeGreaterThan(20);
  const kept = await page.evaluate(() => ({ local: JSON.stringify(localStorage), session: JSON.stringify(sessionStorage) }));
  expect(kept.session).toContain('accessToken');
  const { accessToken } = JSON.parse((JSON.parse(kept.session) as Record<string, string>)['millrace.session'] ?? '{}') as { accessToken: string };
  expect(accessToken.split('.')).toHaveLength(3);
  for (const place of [kept.local, page.url(), ...seen, ...said]) expect(place).not.toContain(accessToken);
});

test('S1 an answer to a sign-in that nobody started here is refused', async ({ page }) => {
  const exchanged: string[] = [];
  page.on('request', (request) => request.url().includes('/oauth2/token') && exchanged.push(request.url()));

  await page.goto('/auth/callback?code=stolen&state=guessed');

  await expect(page.getByRole('alert')).toContainText('You could not be signed in');
  expect(exchanged).toEqual([]);
});

test('S2 a deep link survives signing in', async ({ page, baseURL }) => {
  await page.goto(DEEP_LINK);
  await signInAs(page, 'viewer');

  const arrived = new URL(page.url());
  expect(arrived.origin).toBe(baseURL);
  expect(arrived.pathname).toBe('/activity');
  expect(arrived.searchParams.get('actor')).toContain('user:demo');
});

test('S3 an expired token is renewed once, however many requests need it', async ({ page }) => {
  await page.goto('/');
  await signInAs(page, 'demo');
  const renewals: Request[] = [];
  const refused: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/oauth2/token') && request.method() === 'POST') renewals.push(request);
  });
  page.on('response', (response) => {
    if (response.status() === 401) refused.push(response.url());
  });
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem('millrace.session') ?? '{}') as Record<string, unknown>;
    sessionStorage.setItem('millrace.session', JSON.stringify({ ...kept, expiresAt: 0 }));
  });

  const answered = page.waitForResponse((response) => response.url().includes('/api/') && response.ok());
  await page.reload();
  await answered;
  await page.waitForLoadState('networkidle');

  expect(renewals.map((request) => new URLSearchParams(request.postData() ?? '').get('grant_type'))).toEqual(['refresh_token']);
  expect(refused).toEqual([]);
});

test('S4 signing out forgets the tokens and ends the session at the pool', async ({ page }) => {
  await page.goto('/');
  await signInAs(page, 'demo');
  const ended = page.waitForRequest((request) => new URL(request.url()).pathname === '/logout');

  await page.getByRole('button', { name: 'Signed in as demo' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();

  await ended;
  await expect(page.getByLabel('Password')).toBeVisible();
  await page.goto('/config.json');
  expect(await page.evaluate(() => sessionStorage.getItem('millrace.session'))).toBeNull();
});
