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
