import { expect, open, test } from './fixtures';

test('an API key is made, shown once, works, and opens nothing once it is revoked', async ({ page, request }) => {
  const name = `script ${Date.now()}`;
  await open(page, '/settings');
  await page.getByRole('button', { name: 'New key…' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Make the key' }).click();
  const token = await page.getByRole('textbox', { name: 'Token' }).inputValue();
  expect(token).toMatch(/^mr_/);
  const asked = () => request.get('/api/by-key/datasets', { headers: { Authorization: `Bearer ${token}` } });
  expect((await asked()).status()).toBe(200);
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByText(token)).toHaveCount(0);

  const row = page.getByRole('row', { name: new RegExp(name) });
  await expect(row).toContainText('Valid');
  await row.getByRole('button', { name: `Revoke ${name}` }).click();
  const dialog = page.getByRole('dialog', { name: `Revoke ${name}?` });
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toContainText('Revoked');
  await expect.poll(async () => (await asked()).status()).toBeGreaterThanOrEqual(401);
});

test('a key without a name is refused beside the field, and nothing typed is lost', async ({ page, complaints }) => {
  await open(page, '/settings');
  await page.getByRole('button', { name: 'New key…' }).click();
  await page.getByRole('combobox', { name: 'Good for' }).selectOption('7');
  await page.getByRole('button', { name: 'Make the key' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Good for' })).toHaveValue('7');
  complaints.length = 0;
});

test('a schedule is made, paused and deleted; a wrong one is refused in words and nothing typed is lost', async ({ page, complaints }) => {
  const name = `nightly ${Date.now()}`;
  await open(page, '/settings');
  await page.getByRole('button', { name: 'New schedule…' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('combobox', { name: 'What to do' }).selectOption('train');
  await page.getByRole('textbox', { name: 'The dataset or the model' }).fill('penguins');
  await page.getByRole('textbox', { name: /^When/ }).fill('whenever');
  await page.getByRole('button', { name: 'Make the schedule' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  complaints.length = 0;
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue(name);
  await page.getByRole('textbox', { name: /^When/ }).fill('rate(30 days)');
  await page.getByRole('button', { name: 'Make the schedule' }).click();

  const row = page.getByRole('row', { name: new RegExp(name) });
  await expect(row).toContainText('Train on penguins');
  await row.getByRole('button', { name: `Pause ${name}` }).click();
  await expect(row).toContainText('Paused');
  await page.reload();
  await expect(row).toContainText('not while paused');
  await row.getByRole('button', { name: `Delete ${name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(row).toHaveCount(0);
});

test('a channel is made and tried; its deliveries say what came of it; deleted, it is gone', async ({ page }) => {
  const name = `on-call ${Date.now()}`;
  await open(page, '/settings');
  await page.getByRole('button', { name: 'New channel…' }).click();
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('webhook');
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('textbox', { name: /^Address/ }).fill('https://hooks.example.com/millrace');
  await page.getByRole('button', { name: 'Make the channel' }).click();
  await expect(page.getByRole('textbox', { name: 'Secret' })).toHaveValue(/^whsec_/);
  await page.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('row', { name: new RegExp(name) });
  await expect(row).toContainText('https://hooks.example.com/millrace');

  await row.getByRole('button', { name: `Test ${name}` }).click();
  await expect(page.getByText(`A test is on its way to ${name}`)).toBeVisible();
  await row.getByRole('button', { name: `Deliveries of ${name}` }).click();
  const dialog = page.getByRole('dialog', { name: `Told to ${name}` });
  await expect(dialog.getByRole('row', { name: /test/ })).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await row.getByRole('button', { name: `Delete ${name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(row).toHaveCount(0);
});

test('an e-mail address is made a channel, and taken away again', async ({ page }) => {
  const name = `by mail ${Date.now()}`;
  await open(page, '/settings');
  await page.getByRole('button', { name: 'New channel…' }).click();
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('email');
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('textbox', { name: /^Address/ }).fill('ada@example.com');
  await page.getByRole('button', { name: 'Make the channel' }).click();

  const row = page.getByRole('row', { name: new RegExp(name) });
  await expect(row).toContainText('ada@example.com');
  await row.getByRole('button', { name: `Delete ${name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(row).toHaveCount(0);
});
