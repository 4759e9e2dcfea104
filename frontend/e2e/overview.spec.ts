import { answer, expect, open, test } from './fixtures';

const OVERVIEW = '/dashboard/overview';
const RUN = {
  run_id: 'training-1', pipeline: 'training', state: 'FAILED', dataset: 'churn', dataset_version: 3, model: 'churn', started_by: 'user:ada',
  started_at: '2026-11-20T12:00:00Z', ended_at: '2026-11-20T12:10:00Z', seconds: 600, outcome: null, reason: 'Train: one class in fold 3',
};
const EMPTY = {
  needs: [], running: [], recent_runs: [], runs_by_day: [], succeeded_share: null, cost: { month_usd: 0, endpoints_usd: 0, endpoints_at_least: false, forecast_usd: 0, days: [] },
  requests: { requests: 0, refused: 0, failed: 0, failed_share: null, hours: [] }, datasets: 0, dataset_versions: 0, models: 0, pending_approvals: 0, live_models: [],
};

test('O1 the heading counts the rows that need somebody', async ({ page }) => {
  await open(page, '/');
  const rows = await page.getByRole('region', { name: 'Needs attention' }).getByRole('listitem').count();
  expect(rows).toBeGreaterThan(0);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${rows} ${rows === 1 ? 'thing needs' : 'things need'} you`);
});

test('O2 a failed run leads to the step that failed', async ({ page }) => {
  const need = { kind: 'run_failed', at: RUN.ended_at, model: null, version: null, sentence: null, waiting: 0, run: RUN, step: 'TrainCandidates' };
  await answer(page, OVERVIEW, { ...EMPTY, datasets: 1, needs: [need] });
  await open(page, '/');
  await expect(page.getByRole('link', { name: /churn training failed in TrainCandidates/ })).toHaveAttribute('href', '/runs/training-1?step=TrainCandidates');
});

test('O3 a run that ends moves out of what runs, without reloading', async ({ page }) => {
  const running = { ...RUN, state: 'RUNNING', ended_at: null, seconds: null, reason: null, usual_seconds: 600 };
  let ended = false;
  await page.route(`**/api${OVERVIEW}`, (route) =>
    route.fulfill({ json: ended ? { ...EMPTY, datasets: 1, recent_runs: [{ ...RUN, state: 'SUCCEEDED' }] } : { ...EMPTY, datasets: 1, running: [running] }, headers: { 'X-Poll-After': '5' } }),
  );
  await open(page, '/');
  await expect(page.getByRole('region', { name: 'Running now' }).getByRole('link', { name: 'churn' })).toBeVisible();
  ended = true;
  await expect(page.getByRole('region', { name: 'Running now' }).getByRole('link', { name: 'churn' })).toHaveCount(0, { timeout: 7000 });
  await expect(page.getByRole('region', { name: 'Recent runs' }).getByText('Succeeded')).toBeVisible();
});

test('O4 a platform without data has one next step', async ({ page }) => {
  await answer(page, OVERVIEW, EMPTY);
  await open(page, '/');
  await expect(page.getByRole('main').getByRole('link')).toHaveText(['Upload a dataset']);
});

test('two databases give two different pages', async ({ page }) => {
  const texts: string[] = [];
  for (const [runs, usd] of [[3, 1.5], [17, 42]] as const) {
    const requests = { requests: runs, refused: runs, failed: 1, failed_share: 1 / runs, hours: [{ hour: '2026-11-20T11:00:00Z', requests: runs, failed: 1, p95_ms: usd }] };
    const body = { ...EMPTY, datasets: 1, dataset_versions: runs, models: runs, pending_approvals: runs, succeeded_share: 1 / runs, requests, cost: { month_usd: usd, endpoints_usd: 0, endpoints_at_least: false, forecast_usd: usd * 2, days: [] } };
    await page.unrouteAll();
    await answer(page, OVERVIEW, body);
    await open(page, '/');
    texts.push(...(await page.locator('.tile').allInnerTexts()));
  }
  expect(new Set(texts).size).toBe(8);
});

test.describe('when the platform does not answer', () => {
  test('A9 a sentence says so, and one press shows the data once it does', async ({ page, complaints }) => {
    await page.route('**/api/**', (route) => route.abort());
    await page.goto('/');
    await expect(page.getByRole('alert')).toContainText('The platform does not answer.', { timeout: 10_000 });
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('region', { name: 'Needs attention' })).toBeVisible();
    complaints.length = 0;
  });

  test('A9 what was shown stays', async ({ page, complaints }) => {
    await open(page, '/');
    await page.route('**/api/**', (route) => route.abort());
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    await expect.poll(() => complaints.length).toBeGreaterThan(0);
    await expect(page.getByRole('region', { name: 'Needs attention' })).toBeVisible();
    complaints.length = 0;
  });
});

test('A10 a tab that is not seen asks for nothing, and once when it is seen again', async ({ page }) => {
  await page.clock.install();
  let asked = 0;
  await page.route(`**/api${OVERVIEW}`, (route) => {
    asked += 1;
    return route.fulfill({ json: { ...EMPTY, datasets: 1 }, headers: { 'X-Poll-After': '5' } });
  });
  await open(page, '/');
  const see = (state: string) =>
    page.evaluate((now) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, state);
  await see('hidden');
  const before = asked;
  await page.clock.runFor(60_000);
  expect(asked).toBe(before);
  await see('visible');
  await expect.poll(() => asked).toBe(before + 1);
});

test('A11 an unchanged answer is a 304, and moves nothing on the page', async ({ page, request }) => {
  const [answered] = await Promise.all([page.waitForResponse((each) => each.url().endsWith(OVERVIEW)), open(page, '/')]);
  const headers = { Authorization: (await answered.request().allHeaders())['authorization']!, 'If-None-Match': answered.headers()['etag']! };
  expect((await request.get(`/api${OVERVIEW}`, { headers })).status()).toBe(304);
});
