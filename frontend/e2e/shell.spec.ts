import { expect, open, test } from './fixtures';

test('A8 the skip link is first, and leads past the rail', async ({ page }) => {
  await open(page, '/');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.closest('main') !== null)).toBe(true);
});

test('A8 Ctrl K finds a page by its name, without losing a key, and Escape gives focus back', async ({ page }) => {
  await open(page, '/');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('acti');
  await expect(page.getByRole('option')).toHaveText([/Activity/]);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/activity');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();

  const search = page.getByRole('button', { name: /Search or jump to/ });
  await search.click();
  await page.keyboard.press('Escape');
  await expect(search).toBeFocused();
});

test('A8 g and a letter go to a page, but not while typing', async ({ page }) => {
  await open(page, '/activity');
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox').first()).toBeFocused();
  await page.keyboard.type('go');
  await expect(page).toHaveURL(/actor=go/);
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await expect(page).toHaveURL('/');
});

test('the theme is switched and stays', async ({ page }) => {
  await open(page, '/');
  await page.getByRole('button', { name: 'Use the dark theme' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.getByRole('button', { name: 'Use the light theme' })).toBeVisible();
});

test('an address that leads nowhere says so, and the way out', async ({ page }) => {
  await open(page, '/nowhere');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is no such page');
  await page.getByRole('link', { name: 'Go to the overview' }).click();
  await expect(page).toHaveURL('/');
});

test('who is signed in, with which role, is in the menu', async ({ page }) => {
  await open(page, '/');
  await page.getByRole('button', { name: /^Signed in as / }).click();
  await expect(page.getByText(/\badmin\b/)).toBeVisible();
});

test('A6 a filter of the activity is in the address, and Back undoes it', async ({ page }) => {
  await open(page, '/activity');
  const rows = page.getByRole('row');
  await expect(rows.nth(2)).toBeVisible();
  await page.getByRole('searchbox', { name: /On what/ }).fill('dataset:penguins');
  await expect(page).toHaveURL(/subject=dataset%3Apenguins/);
  await expect(page.getByRole('code').filter({ hasText: /^run:/ })).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('searchbox', { name: /On what/ })).toHaveValue('dataset:penguins');
  await page.goBack();
  await expect(page.getByRole('searchbox', { name: /On what/ })).toHaveValue('');
});
