/** Predictions, on a platform where a version of `seabirds` is live (scripts/shown_data.py). */
import { expect, open, test } from './fixtures';

const MODEL = 'seabirds';
const HEAD = 'island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\n';

test('P1 the form is made from the signature and judges by it, P2 the answer says version and latency', async ({ page }) => {
  await open(page, `/predictions?model=${MODEL}`);
  const form = page.getByRole('form', { name: `Ask ${MODEL}` });
  const mass = form.getByRole('textbox', { name: 'body_mass_g' });
  await expect(form.getByRole('combobox', { name: 'island' })).not.toHaveValue('');
  const sent: string[] = [];
  page.on('request', (request) => request.url().endsWith('/inference/predict') && sent.push(request.url()));
  await mass.fill('heavy');
  await form.getByRole('button', { name: 'Predict species' }).click();
  await expect(mass).toHaveAccessibleDescription('heavy is no number');
  await expect(mass).toBeFocused();
  expect(sent).toEqual([]);

  await mass.fill('');
  await form.getByRole('combobox', { name: 'island' }).fill('Atlantis');
  await form.getByRole('button', { name: 'Predict species' }).click();

  const answer = page.getByRole('region', { name: 'Answer' });
  await expect(answer).toContainText(/Adelie|Gentoo|Chinstrap/);
  await expect(answer.getByRole('link', { name: `${MODEL}:1` })).toBeVisible();
  await expect(answer).toContainText(/Took[\d.]+ m?s/);
  await expect(answer).toContainText('Atlantis');
  await expect(answer).toContainText('What moved it');
});

test('P3 a file is predicted, and the finished job offers its file', async ({ page }) => {
  await open(page, `/predictions?model=${MODEL}`);
  const rows = 'Biscoe,48.2,14.3,210,4600,female,2008\nDream,39.1,18.7,181,3750,male,2007\nDream,long,18.7,181,3750,male,2007\n';

  await page.locator('input[type=file]').setInputFiles({ name: 'may.csv', mimeType: 'text/csv', buffer: Buffer.from(HEAD + rows.repeat(5)) });

  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^\S*may\.csv: 10 rows predicted, 5 refused$/, { timeout: 60_000 });
  await expect(page.getByRole('table', { name: 'Rows that were refused' })).toContainText('bill_length_mm');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download CSV' }).click()]);
  expect(download.suggestedFilename()).toMatch(/\.csv$/);
});
