/** Runs, on a platform with a dataset that was trained on and a file that could not be read (scripts/dashboard_platform.py). */
import { expect, open, test } from './fixtures';

test('R1 a status chip filters by address, and the counts add up to the total', async ({ page }) => {
  await page.goto('/runs');
  const chips = page.getByRole('group', { name: 'Status' }).getByRole('button');
  await expect(chips.first()).toHaveText(/\d$/);
  const counts = (await chips.allTextContents()).map((text) => Number(/\d+$/.exec(text)?.[0]));
  const total = counts.reduce((sum, each) => sum + each, 0);
  await expect(page.getByText(new RegExp(`of ${total} runs`))).toBeVisible();

  await chips.filter({ hasText: 'Failed' }).click();

  await expect(page).toHaveURL(/state=FAILED/);
  await expect(page.getByRole('row').filter({ hasText: 'Succeeded' })).toHaveCount(0);
  await expect(page.getByRole('row').filter({ hasText: 'Failed' })).not.toHaveCount(0);
});

test('R2 typing in the filter asks once and keeps the focus', async ({ page }) => {
  await page.goto('/runs');
  await expect(page.getByRole('table')).toBeVisible();
  const asked: string[] = [];
  page.on('request', (request) => request.url().includes('/api/runs?') && asked.push(request.url()));

  await page.getByRole('searchbox', { name: 'Dataset' }).pressSequentially('penguins', { delay: 20 });

  await expect(page).toHaveURL(/dataset=penguins/);
  await expect(page.getByRole('row').filter({ hasText: 'unreadable' })).toHaveCount(0);
  await expect(page.getByRole('searchbox', { name: 'Dataset' })).toBeFocused();
  expect(asked.filter((url) => url.includes('dataset='))).toHaveLength(1);
});

for (const [path, column, usual, other] of [
  ['/runs', 'Started', 'descending', 'ascending'],
  ['/models', 'Model', 'ascending', 'descending'],
  ['/datasets', 'Dataset', 'ascending', 'descending'],
] as const) {
  test(`R3 a sort of ${path} is announced, stands in the address, and is asked of the server`, async ({ page }) => {
    const asked: string[] = [];
    page.on('request', (request) => request.url().includes(`/api${path}?`) && asked.push(new URL(request.url()).searchParams.get('sort') ?? ''));
    await open(page, path);
    const head = page.getByRole('columnheader', { name: column, exact: true });
    /** What the column says, row by row: moments as the machine reads them, else words. */
    const shown = () => page.getByRole('row').evaluateAll((rows, by) => rows.slice(1).map((row) => (by === 'Started' ? row.querySelector('time')!.dateTime : row.querySelector('th')!.textContent!)), column);
    const expectSorted = async (direction: string) => {
      await expect(head).toHaveAttribute('aria-sort', direction);
      await expect(page.locator('th[aria-sort]')).toHaveCount(1);
      await expect.poll(async () => new Set(await shown()).size).toBeGreaterThan(1);
      await expect
        .poll(async () => {
          const values = await shown();
          const ascending = values.toSorted();
          return values.join() === (direction === 'ascending' ? ascending : ascending.reverse()).join();
        })
        .toBe(true);
    };
    await expectSorted(usual);
    expect(new Set(asked)).toEqual(new Set(['']));

    await head.getByRole('button').click();

    await expect(page).toHaveURL(/sort=/);
    await expectSorted(other);
    expect(asked.at(-1)).not.toBe('');
    await page.reload();
    await expectSorted(other);
    await head.getByRole('button').press('Enter');
    await expect(page).not.toHaveURL(/sort=/);
    await expectSorted(usual);
  });
}

test('U6 U7 a failed run says why before anything else, in its title and in its icon', async ({ page }) => {
  await page.goto('/runs?state=FAILED');

  await page.getByRole('row').filter({ hasText: 'unreadable' }).getByRole('link').click();

  const cause = page.getByText('notes.csv is a binary file');
  await expect(cause).toBeInViewport();
  await expect(page).toHaveTitle(/^Failed ingest-/);
  await expect(page.locator('link[rel=icon]')).toHaveAttribute('href', '/favicon-failed.svg');
});

test('A6 a step filters the log, and a link holds it', async ({ page }) => {
  await page.goto('/runs?state=SUCCEEDED&dataset=penguins');
  await page.getByRole('link', { name: /^training-/ }).first().click();
  const steps = page.getByRole('group', { name: 'Steps of the run' });

  await steps.getByRole('button', { name: /xgboost/ }).click();

  await expect(page).toHaveURL(/step=Train/);
  await expect(page.getByRole('log')).toContainText('validation:');
  await expect(page.getByRole('log')).not.toContainText('"verdict"');
  await page.reload();
  await expect(steps.getByRole('button', { name: /xgboost/ })).toHaveAttribute('aria-pressed', 'true');
});

test('U8 a finished run is not asked for again', async ({ page }) => {
  await page.goto('/runs?state=SUCCEEDED&dataset=penguins');
  await page.getByRole('link', { name: /^training-/ }).first().click();
  await expect(page.getByRole('log')).toContainText('validation:');
  // A last request finds that nothing more was written.
  await page.waitForTimeout(3000);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));

  await page.waitForTimeout(5000);

  expect(asked.filter((url) => url.includes('/api/'))).toEqual([]);
});

test('N1 what is wrong is said beside its field, the first of them has the focus, nothing typed is lost', async ({ page, complaints }) => {
  await page.goto('/runs/new?dataset=penguins');
  await page.getByRole('textbox', { name: /Why/ }).fill('tried in a browser');
  await page.getByRole('checkbox', { name: /XGBoost/ }).check();
  const xgboost = page.locator('.algorithm').filter({ hasText: 'XGBoost' });
  await xgboost.getByText(/Hyperparameters, none fixed/).click();
  const depth = xgboost.getByRole('textbox', { name: 'max_depth' });
  await depth.fill('999');
  await page.getByRole('textbox', { name: 'Trials of each' }).fill('3');
  await page.getByRole('button', { name: 'Start training' }).click();

  await expect(depth).toBeFocused();
  await expect(depth).toHaveAccessibleDescription(/max_depth is 999, but must be an integer from/);
  await expect(page.getByRole('textbox', { name: /Why/ })).toHaveValue('tried in a browser');
  await expect(page.getByRole('textbox', { name: 'Trials of each' })).toHaveValue('3');
  await page.getByRole('textbox', { name: 'Trials of each' }).fill('many');
  await page.getByRole('button', { name: 'Start training' }).click();
  await expect(page.getByRole('textbox', { name: 'Trials of each' })).toHaveAccessibleDescription(/valid integer/);
  // The console tells of the refusals that were asked for.
  expect(complaints.splice(0)).toHaveLength(2);
});

test('U1 N1 N2 N3 a version that does not exist is refused; a double click starts one run, with what was chosen for it, which is shown live', async ({ page, complaints }) => {
  await page.goto('/runs/new?dataset=penguins&version=77');
  await expect(page.getByText(/Medians of \d+ run/)).toBeVisible();
  await page.getByRole('textbox', { name: /Why/ }).fill('tried in a browser');
  await page.getByRole('button', { name: 'Start training' }).click();
  await expect(page.getByRole('alert')).toContainText('77');
  await expect(page.getByRole('textbox', { name: /Why/ })).toHaveValue('tried in a browser');
  // The console tells of the refusal that was asked for.
  expect(complaints.splice(0)).toHaveLength(1);
  const started: string[] = [];
  page.on('response', (response) => response.url().endsWith('/training/start') && response.status() === 201 && started.push(response.url()));

  await page.getByRole('combobox', { name: 'Version' }).selectOption('1');
  await page.getByRole('combobox', { name: 'Judged by' }).selectOption('accuracy');
  const shown = page.waitForResponse((response) => /\/runs\/training-\w+$/.test(response.url()));
  await page.getByRole('button', { name: 'Start training' }).dblclick();

  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Training of penguins v1');
  expect(started).toHaveLength(1);
  expect(((await (await shown).json()) as { input: unknown }).input).toMatchObject({ training: { metric: 'accuracy' } });
  await expect(page.getByText('tried in a browser')).toBeVisible();
  await expect(page.getByRole('button', { name: /Plan training/ }).first()).toBeVisible();
  await expect(page.getByText('Succeeded').first()).toBeVisible({ timeout: 60_000 });
  await expect(page).toHaveTitle(/^Succeeded training-/);
});
