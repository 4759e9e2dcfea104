/** Alerts: the file that cannot be read left one, on every platform of these specs. */
import { expect, open, test } from './fixtures';

test('M4 an alert is taken on, snoozed with a reason and an end, and its history says so', async ({ page }) => {
  await open(page, '/alerts');
  await page.getByRole('link', { name: 'Ingest of unreadable failed' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ingest of unreadable failed');
  await expect(page.getByRole('link', { name: 'Show where' })).toHaveAttribute('href', /\/runs\/ingest-/);
  const sent: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));

  await page.getByRole('button', { name: 'Snooze…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Snooze this alert?' });
  await dialog.getByRole('button', { name: 'Snooze' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Say why');
  expect(sent).toEqual([]);
  await dialog.getByRole('textbox', { name: 'Why' }).fill('the sender knows');
  await dialog.getByLabel(/^Until/).fill('');
  await dialog.getByRole('button', { name: 'Snooze' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Say until when');
  expect(sent).toEqual([]);
  const end = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 16);
  await dialog.getByLabel(/^Until/).fill(end);
  await dialog.getByRole('button', { name: 'Snooze' }).click();

  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('region', { name: 'History' })).toContainText('the sender knows');
  await expect(page.locator('.page-head')).toContainText('Snoozed');
  await page.goto('/alerts?state=SNOOZED');
  await expect(page.getByRole('row', { name: /Ingest of unreadable failed/ })).toContainText('Snoozed');

  await page.getByRole('link', { name: 'Ingest of unreadable failed' }).click();
  await page.getByRole('button', { name: 'Take on…' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Why' }).fill('asking for the table');
  await page.getByRole('dialog').getByRole('button', { name: 'Take it on' }).click();
  await expect(page.locator('.page-head')).toContainText('Taken on');
  await expect(page.getByRole('button', { name: 'Take on…' })).toHaveCount(0);
});
