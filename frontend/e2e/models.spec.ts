/** Models, on a platform where penguins were trained on and nothing was decided (scripts/dashboard_platform.py). */
import { expect, test } from './fixtures';

test('V7 a version says what it was compared with, how sure each figure is, and where it comes from', async ({ page }) => {
  await page.goto('/models');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/wait/);
  await page.getByRole('link', { name: 'penguins', exact: true }).click();
  await page.getByRole('link', { name: 'penguins:1' }).first().click();

  await expect(page.getByRole('heading', { level: 1 })).toHaveText('penguins v1');
  await expect(page.getByText('compared with a constant prediction')).toBeVisible();
  await expect(page.getByRole('group', { name: 'Log loss' })).toContainText('95 % interval');
  await expect(page.getByRole('img', { name: /^ROC of penguins:1/ })).toBeVisible();
  const lineage = page.getByRole('region', { name: 'Lineage' });
  await lineage.getByRole('link', { name: /^training-/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Training of penguins v1');
});

test('V3 V4 who decides second is told that someone decided already', async ({ page, context }) => {
  const other = await context.newPage();
  await page.goto('/models/penguins/1');
  const kept = await page.evaluate(() => sessionStorage.getItem('millrace.session'));
  await other.addInitScript((session) => sessionStorage.setItem('millrace.session', session!), kept);
  await other.goto('/models/penguins/1');
  await other.getByRole('button', { name: 'Approve…' }).click();
  await page.getByRole('button', { name: 'Approve…' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('it beats a constant prediction');
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await expect(page.getByText('it beats a constant prediction')).toBeVisible();
  const badge = page.getByRole('navigation', { name: 'Areas' }).getByRole('link', { name: /^Models/ });
  const waiting = async () => Number(/\d+/.exec((await badge.getAttribute('aria-label')) ?? '')?.[0] ?? 0);

  await other.getByRole('dialog').getByRole('textbox').fill('I would have said so, too');
  await other.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();

  await expect(other.getByRole('alert')).toContainText('Someone decided already');
  await page.getByRole('navigation', { name: 'Areas' }).getByRole('link', { name: 'Overview', exact: true }).click();
  const told = page.getByRole('group', { name: 'Live models' }).getByText(/waits? for a decision/);
  await expect.poll(async () => Number(/(\d+) versions? wait/.exec(await told.innerText())?.[1] ?? 0) - (await waiting()), { timeout: 2000 }).toBe(0);
  await expect(page.getByRole('region', { name: 'Needs attention' }).getByRole('link', { name: /penguins v1 waits/ })).toHaveCount(0);
  await page.goto('/models/penguins');
  await expect(page.getByText('Live: penguins:1')).toBeVisible({ timeout: 60_000 });
});

test('the page of a model is one request', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => request.url().includes('/api/models') && asked.push(new URL(request.url()).pathname));
  await page.goto('/models/penguins');
  await expect(page.getByRole('table', { name: 'Versions' })).toBeVisible();
  await expect(page.getByText('penguins:1 was registered')).toBeVisible();

  expect(asked).toEqual(['/api/models/penguins']);
});

test('every curve has its figures', async ({ page }) => {
  await page.goto('/models/penguins/1');

  await page.getByRole('button', { name: 'ROC: show as table' }).click();

  await expect(page.getByRole('group', { name: 'ROC, as a table' }).getByRole('row')).not.toHaveCount(0);
});
