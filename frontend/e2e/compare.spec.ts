/** Candidates beside each other, on a platform where penguins were trained on with two algorithms. */
import { expect, open, test } from './fixtures';

const SIDE_BY_SIDE = 'Candidates side by side';

test('C1 only differences are shown, and it says how many rows are the same; the URL holds what is shown', async ({ page }) => {
  await open(page, '/runs/compare?ids=penguins:1,penguins:2');
  const table = page.getByRole('table', { name: SIDE_BY_SIDE });
  await expect(table.getByRole('rowheader', { name: 'Algorithm' })).toBeVisible();
  await expect(table.getByRole('rowheader', { name: 'Data', exact: true })).toHaveCount(0);
  const hidden = Number(/(\d+) rows are the same and not shown/.exec(await page.getByRole('region', { name: 'Side by side' }).innerText())?.[1]);
  const shown = await table.getByRole('rowheader').count();

  await page.getByRole('button', { name: 'Differences only' }).click();

  await expect(table.getByRole('rowheader', { name: 'Data', exact: true })).toBeVisible();
  await expect(table.getByRole('rowheader')).toHaveCount(shown + hidden);
  await page.reload();
  await expect(table.getByRole('rowheader')).toHaveCount(shown + hidden);
});

test('C2 each difference says better or worse by the direction of its metric', async ({ page, request }) => {
  await open(page, '/runs/compare?ids=penguins:1,penguins:2');
  const kept = JSON.parse((await page.evaluate(() => sessionStorage.getItem('millrace.session')))!) as { accessToken: string };
  const answered = await request.get('/api/comparison?of=penguins:1,penguins:2', { headers: { Authorization: `Bearer ${kept.accessToken}` } });
  const { candidates } = (await answered.json()) as { candidates: Array<{ metrics: Record<string, { value: number }> }> };
  const gain = candidates[1]!.metrics.log_loss!.value - candidates[0]!.metrics.log_loss!.value;
  expect(gain).not.toBe(0);
  const row = page.getByRole('table', { name: SIDE_BY_SIDE }).getByRole('row', { name: /^Log loss/ });

  // The lower the better.
  await expect(row.getByRole('cell').nth(1)).toContainText(gain > 0 ? 'worse' : 'better');
  await page.getByRole('button', { name: 'Hold the others against penguins:2' }).click();
  await expect(page).toHaveURL(/ids=penguins(:|%3A)2(,|%2C)penguins(:|%3A)1/);
  await expect(row.getByRole('cell').nth(1)).toContainText(gain > 0 ? 'better' : 'worse');
});

test('C3 versions are chosen on the page of their model; the sentence says what it comes to, curves lie over each other', async ({ page }) => {
  await open(page, '/models/penguins');
  await page.getByRole('checkbox', { name: 'Select penguins:2' }).check();
  await expect(page.getByText('Choose one more to compare')).toBeVisible();
  await page.getByRole('checkbox', { name: 'Select penguins:1' }).check();
  await expect(page).toHaveURL(/chosen=/);
  const asked: string[] = [];
  page.on('request', (request) => request.url().includes('/api/') && asked.push(new URL(request.url()).pathname));

  await page.getByRole('link', { name: 'Compare' }).click();

  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^penguins:\d leads by Log loss$/);
  await expect(page.getByText(/has the best log_loss, .* 95 % intervals/)).toBeVisible();
  const roc = page.getByRole('region', { name: 'ROC of Adelie' });
  await expect(roc.getByRole('img')).toHaveAccessibleName(/2 candidates over each other, penguins:2, penguins:1/);
  await page.getByRole('group', { name: 'Class' }).getByRole('button', { name: 'Gentoo' }).click();
  await expect(page.getByRole('region', { name: 'ROC of Gentoo' })).toBeVisible();
  expect(asked.filter((path) => path !== '/api/models/penguins')).toEqual(['/api/comparison']);
  await page.goBack();
  await expect(page.getByRole('checkbox', { name: 'Select penguins:1' })).toBeChecked();
});

test('too few, and what trained nothing, is said in words', async ({ page, complaints }) => {
  await open(page, '/runs/compare?ids=penguins:1');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Choose what to compare');
  await page.goto('/runs/compare?ids=penguins:1,penguins:99');
  await expect(page.getByRole('alert')).toContainText('there is no model version penguins:99');
  complaints.length = 0;
});

test('R5 a sixth run is refused with a sentence', async ({ page }) => {
  const run = (number: number) => ({
    run_id: `training-${number}`,
    pipeline: 'training',
    state: 'SUCCEEDED',
    dataset: 'penguins',
    dataset_version: 1,
    model: 'penguins',
    started_by: 'ada',
    started_at: '2026-11-20T12:00:00Z',
    ended_at: '2026-11-20T12:01:00Z',
    seconds: 60,
    outcome: 'Registered.',
    reason: null,
  });
  const items = [1, 2, 3, 4, 5, 6].map(run);
  await page.route('**/api/runs?*', (route) => route.fulfill({ json: { items, next_cursor: null, total: 6, counts: { SUCCEEDED: 6 } } }));
  await open(page, '/runs');
  for (const { run_id: id } of items.slice(0, 5)) await page.getByRole('checkbox', { name: `Select ${id}` }).check();

  await page.getByRole('checkbox', { name: 'Select training-6' }).click();

  await expect(page.getByRole('alert')).toHaveText('At most 5 are compared at once: take one away first.');
  await expect(page.getByRole('checkbox', { name: 'Select training-6' })).not.toBeChecked();
  await expect(page.getByRole('group', { name: 'Chosen' })).toContainText('5 chosen');
});

test('only runs that trained candidates can be chosen', async ({ page }) => {
  await open(page, '/runs?state=SUCCEEDED');

  await expect(page.getByRole('checkbox', { name: /^Select training-/ })).not.toHaveCount(0);
  await expect(page.getByRole('checkbox', { name: /^Select ingest-/ })).toHaveCount(0);
});
