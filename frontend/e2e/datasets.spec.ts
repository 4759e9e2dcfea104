/** Datasets, on a platform where penguins were trained on. What these tests send goes into datasets of their own. */
import { expect, open, test } from './fixtures';
import type { Page } from '@playwright/test';

const HEAD = 'customer,age,plan\n';
const GOOD = Array.from({ length: 60 }, (_, n) => `${n},${20 + (n % 40)},${n % 2 ? 'basic' : 'gold'}\n`).join('');

/** A name that nobody else uses, also when the test is repeated. */
const fresh = (name: string) => `${name}-${Date.now().toString(36)}`;
const csv = (name: string, text: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });

async function make(page: Page, name: string): Promise<void> {
  await open(page, '/datasets');
  await page.getByRole('button', { name: 'New dataset…' }).first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Make the dataset' }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
}

/** Drop a file, as a person does with the mouse. */
async function drop(page: Page, name: string, text: string): Promise<void> {
  const files = await page.evaluateHandle(([named, body]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([body!], named!));
    return carried;
  }, [name, text]);
  await page.getByRole('group', { name: /^Send a file to/ }).dispatchEvent('drop', { dataTransfer: files });
}

test('D1 a file is dropped or chosen, a wrong one refused before anything is sent, and its run is a link', async ({ page }) => {
  await make(page, fresh('dropped'));
  const sent: string[] = [];
  page.on('request', (request) => request.method() !== 'GET' && sent.push(request.url()));

  await drop(page, 'photo.png', 'no table');

  await expect(page.getByRole('alert')).toContainText('photo.png is none of .csv');
  expect(sent).toEqual([]);
  await drop(page, 'first.csv', HEAD + GOOD);
  await expect(page.getByRole('status').filter({ hasText: 'first.csv is in' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Watch its run' })).toHaveAttribute('href', /^\/runs\/ingest-/);
  await page.locator('input[type=file]').setInputFiles(csv('second.csv', HEAD + GOOD.replaceAll('basic', 'plain')));
  await expect(page.getByRole('status').filter({ hasText: 'second.csv is in' })).toBeVisible();
  await expect(page.getByRole('group', { name: 'Files that arrived' }).getByRole('row')).toHaveCount(3);
});

test('D1 an upload that broke goes on with the parts that are missing', async ({ page, complaints }) => {
  test.slow();
  await make(page, fresh('broken'));
  // Two parts of 16 MiB and a bit; the second breaks once.
  const row = `1,30,${'x'.repeat(1000)}\n`;
  const big = csv('big.csv', HEAD + row.repeat(17_000));
  const puts: string[] = [];
  let breaks = 1;
  await page.route(
    (url) => url.searchParams.has('partNumber'),
    async (route) => {
      if (route.request().method() !== 'PUT') return route.continue();
      const number = new URL(route.request().url()).searchParams.get('partNumber')!;
      puts.push(number);
      if (number === '2' && breaks-- > 0) return route.abort('connectionreset');
      return route.continue();
    },
  );

  await page.locator('input[type=file]').setInputFiles(big);

  await expect(page.getByRole('alert')).toContainText('The connection broke');
  await expect(page.getByRole('progressbar', { name: 'Part 1 of 2' })).toHaveAttribute('aria-valuenow', '100');
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'big.csv is in' })).toBeVisible({ timeout: 30_000 });
  expect(puts).toEqual(['1', '2', '2']);
  complaints.length = 0;
});

test('D2 failed checks come first and name column and rule; the rows that were set aside are there with every reason', async ({ page }) => {
  const name = fresh('checked');
  await make(page, name);
  await page.locator('input[type=file]').setInputFiles(csv('good.csv', HEAD + GOOD));
  await page.getByRole('link', { name: 'v1', exact: true }).waitFor({ timeout: 30_000 });
  await expect(page.getByRole('row').filter({ hasText: 'v1' }).getByText('Ready').first()).toBeVisible({ timeout: 30_000 });
  await page.locator('input[type=file]').setInputFiles(csv('bad.csv', `${HEAD}${GOOD}900,forty,gold\n901,x,basic\n`));
  await expect(page.getByRole('group', { name: 'Versions' }).getByRole('row').filter({ hasText: 'v2' })).toContainText('Ready', { timeout: 30_000 });

  await page.getByRole('link', { name: 'v2', exact: true }).click();

  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${name} v2: 60 rows ready, 2 set aside`);
  const first = page.getByRole('table', { name: 'Checks' }).getByRole('row').nth(1);
  await expect(first).toContainText('Failed');
  await expect(first.getByRole('rowheader')).toHaveText('age');
  await expect(first).toContainText('integer');
  await expect(page.getByRole('table', { name: 'Rows that were set aside' })).toContainText('900,forty,gold');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download all' }).click()]);
  expect(download.suggestedFilename()).toBe(`${name}-v2-quarantine.jsonl`);
  await page.getByRole('combobox', { name: 'Compare with' }).selectOption('1');
  await expect(page).toHaveURL(/against=1/);
  await expect(page.getByText('v1 has 60 rows, v2 has 60 rows')).toBeVisible();
});

test('settings are changed, and what is wrong with one is said beside it', async ({ page, complaints }) => {
  await make(page, fresh('settled'));
  await page.getByRole('button', { name: 'Edit settings…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Trials of each algorithm' }).fill('many');
  await dialog.getByRole('textbox', { name: 'Target' }).fill('left');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('textbox', { name: 'Trials of each algorithm' })).toHaveAccessibleDescription(/integer/);
  await expect(dialog.getByRole('textbox', { name: 'Target' })).toHaveValue('left');

  await dialog.getByRole('textbox', { name: 'Trials of each algorithm' }).fill('3');
  await dialog.getByRole('checkbox', { name: /^Four eyes/ }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();

  await expect(page.getByText('Predicts left')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Settings' })).toContainText('nobody approves what they asked for');
  complaints.length = 0;
});

test('a contract is edited as JSON, and what is no JSON is said beside it', async ({ page }) => {
  const name = fresh('agreed');
  await make(page, name);
  await page.locator('input[type=file]').setInputFiles(csv('good.csv', HEAD + GOOD));
  await page.getByRole('button', { name: 'Edit contract…' }).click({ timeout: 30_000 });
  const text = page.getByRole('textbox', { name: 'As JSON' });
  const before = await text.inputValue();
  await text.fill('{');
  await page.getByRole('button', { name: 'Put it in force' }).click();
  await expect(text).toHaveAccessibleDescription(/no JSON/);

  const contract = JSON.parse(before) as { columns: Array<Record<string, unknown>> };
  contract.columns = contract.columns.map((column) => (column.name === 'age' ? { ...column, maximum: 120, range_severity: 'error' } : column));
  await text.fill(JSON.stringify(contract));
  await page.getByRole('button', { name: 'Put it in force' }).click();

  await expect(page.getByRole('region', { name: 'Contract v2' }).getByRole('row', { name: /age/ })).toContainText('the row is set aside');
});

test('two versions against each other: the columns that moved, by how much, and what breaks the contract', async ({ page }) => {
  await open(page, '/datasets/seabirds/2?against=1');
  const card = page.getByRole('region', { name: 'Against another version' });
  await expect(card.getByText('v1 has 344 rows, v2 has 344 rows; 2 columns differ')).toBeVisible();
  const table = card.getByRole('table', { name: 'v1 against v2' });
  await expect(table.getByRole('rowheader')).toHaveText(['bill_length_mm', 'body_mass_g']);
  await expect(table.getByRole('row', { name: /^bill_length_mm/ })).toContainText(/Moved.*43\.92 → 55\.92/);

  await card.getByRole('button', { name: 'Show 6 columns that stayed the same' }).click();

  await expect(table.getByRole('row', { name: /^year/ })).toContainText('Same');
});
