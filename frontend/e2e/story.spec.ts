/** The whole story, as one person lives it, from an empty dataset to a model that was rolled back. Its pictures are docs/tour.md's. */
import { readFileSync } from 'node:fs';

import { expect as base, test, type Page } from '@playwright/test';

import { see, type Sight } from './figures';
import { signInAs } from './people';
import { ON_TOUR, picture } from './tour';

test.use({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', actionTimeout: 60_000 });

/** Jobs really run, on a machine that may have other things to do. */
const JOB = { timeout: 240_000 };
const expect = base.configure({ timeout: 60_000 });

const [HEAD = '', ...WINTER] = lines('flights.csv');
const [, ...JULY] = lines('flights_july.csv');
const ROWS = 1500;
/** Rows that no model may learn from, each for its own reason, among good ones. */
const BAD = ['UA1-20130103-0600,2013-01-03T11:00:00Z,UA,EWR,ORD,far,6,0,2012,BOEING,2,191,Turbo-fan,39.0,28.0,64.4,260,12.6,,0.0,1011.9,10.0,no', 'UA2-20130103-0610,2013-01-03T11:00:00Z,UA,EWR,ORD,719,6,0', 'UA3-20130103-0620,the third of January,UA,EWR,ORD,719,6,0,2012,BOEING,2,191,Turbo-fan,mild,28.0,64.4,260,12.6,,0.0,1011.9,10.0,no'];
const NAME = process.env.STORY_NAME ?? (ON_TOUR ? 'departures' : `departures-${Date.now().toString(36)}`);

/** What the story changes: its first model is live when they are seen first, and has predicted, drifted, been followed and come back when they are seen again. */
const CHANGED = ['/', '/runs', '/models', `/models/${NAME}`, '/datasets', `/datasets/${NAME}`, `/predictions?model=${NAME}`, `/monitoring?model=${NAME}`, '/alerts', '/activity'];

function lines(file: string): string[] {
  return readFileSync(new URL(`../../examples/${file}`, import.meta.url), 'utf8').trimEnd().split('\n');
}

function csv(rows: string[]): string {
  return [HEAD, ...rows].join('\n') + '\n';
}

/** Drop a file, as a person does with the mouse. */
async function drop(page: Page, to: string, name: string, text: string): Promise<void> {
  const carried = await page.evaluateHandle(([named, body]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([body!], named!));
    return transfer;
  }, [name, text]);
  await page.getByRole('group', { name: `Send a file to ${to}` }).dispatchEvent('drop', { dataTransfer: carried });
}

const heading = (page: Page) => page.getByRole('heading', { level: 1 });
const row = (page: Page) => page.getByRole('row').filter({ has: page.getByRole('link', { name: NAME, exact: true }) });
const rail = (page: Page, name: string) => page.getByRole('navigation', { name: 'Areas' }).getByRole('link', { name: new RegExp(`^${name}`) });

async function succeeded(page: Page): Promise<void> {
  await expect(page.locator('.page-head')).toContainText('Succeeded', JOB);
}

/** Fill in the form that asks for a training run, and watch the run to its end. */
async function train(page: Page, why: string, shot: string): Promise<void> {
  await page.getByRole('textbox', { name: /^Why/ }).fill(why);
  await page.getByRole('button', { name: 'Start training' }).click();
  await expect(heading(page)).toContainText(`Training of ${NAME}`);
  await expect(page.getByRole('group', { name: 'Steps of the run' }).getByRole('button', { name: /xgboost/ })).toBeVisible(JOB);
  await expect(page.getByRole('log')).toContainText('validation:', JOB);
  await picture(page, shot);
  await succeeded(page);
}

/** Approve a version with a reason, and wait until it is what answers. */
async function approve(page: Page, reason: string, shot?: string): Promise<string> {
  const version = (await heading(page).innerText()).replace(' v', ':');
  await page.getByRole('button', { name: 'Approve…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill(reason);
  if (shot) await picture(page, shot);
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await expect(page.getByRole('region', { name: 'Decision and make' })).toContainText(reason);
  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: NAME }).click();
  await expect(page.getByText(`Live: ${version}`)).toBeVisible(JOB);
  return version;
}

/** The version of the newest training that does best on the test rows, from what waits for a decision. */
async function newest(page: Page): Promise<void> {
  await rail(page, 'Models').click();
  await row(page).getByRole('link', { name: NAME, exact: true }).click();
  const waiting = page.getByRole('table', { name: 'Versions' }).getByRole('row').filter({ hasText: 'xgboost' }).filter({ hasText: /Waits|Pending|Needs/ });
  await waiting.first().getByRole('link').click();
  await expect(heading(page)).toHaveText(/ v\d+$/);
}

test('a person signs in, brings a file with bad rows, and ends with a model that was approved, watched, retrained and rolled back', async ({ page }) => {
  test.setTimeout(560_000);
  const winter = WINTER.slice(0, ROWS);

  await test.step('sign in', async () => {
    await page.goto('/');
    await expect(page.getByLabel('Password')).toBeVisible();
    await signInAs(page, 'demo');
    await expect(page.getByRole('region', { name: 'Needs attention' })).toBeVisible();
    await picture(page, '01-overview');
  });

  await test.step('drop a CSV with bad rows', async () => {
    await rail(page, 'Datasets').click();
    await page.getByRole('button', { name: 'New dataset…' }).first().click();
    await page.getByRole('textbox', { name: 'Name' }).fill(NAME);
    await page.getByRole('textbox', { name: 'Target' }).fill('late');
    await page.getByRole('button', { name: 'Make the dataset' }).click();
    await expect(heading(page)).toHaveText(NAME);
    await page.getByRole('button', { name: 'Edit settings…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Key' }).fill('flight_id');
    await dialog.getByRole('textbox', { name: 'Trials of each algorithm' }).fill('1');
    await dialog.getByRole('checkbox', { name: 'Random forest' }).uncheck();
    await dialog.getByRole('checkbox', { name: 'Train on each new version' }).uncheck();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toHaveCount(0);
    await drop(page, NAME, 'winter.csv', csv([...winter.slice(0, 40), ...BAD, ...winter.slice(40)]));
    await expect(page.getByRole('status').filter({ hasText: 'winter.csv is in' })).toBeVisible();
    await picture(page, '02-drop');
  });

  await test.step('watch its run', async () => {
    await page.getByRole('link', { name: 'Watch its run' }).click();
    await expect(heading(page)).toContainText(`Ingest of ${NAME}`);
    await expect(page.getByRole('group', { name: 'Steps of the run' })).toContainText('Prepare dataset', JOB);
    await succeeded(page);
  });

  await test.step('see which rows were refused, and why', async () => {
    await rail(page, 'Datasets').click();
    await row(page).getByRole('link', { name: 'v1' }).click();
    await expect(heading(page)).toHaveText(/rows ready, \d+ set aside$/);
    const refused = page.getByRole('table', { name: 'Rows that were set aside' });
    await expect(refused.getByRole('row').filter({ hasText: 'UA1-20130103-0600' })).toContainText('distance');
    await expect(refused.getByRole('row').filter({ hasText: 'UA3-20130103-0620' })).toContainText('scheduled_at');
    await expect(refused.getByRole('row').filter({ hasText: 'UA3-20130103-0620' })).toContainText('temp');
    await refused.scrollIntoViewIfNeeded();
    await picture(page, '03-refused-rows');
  });

  await test.step('train, and watch the run live', async () => {
    await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: NAME }).click();
    await page.getByRole('link', { name: 'Train on it…' }).click();
    await train(page, 'the first winter', '04-run');
  });

  await test.step('compare the candidates', async () => {
    await rail(page, 'Models').click();
    await row(page).getByRole('link', { name: NAME, exact: true }).click();
    await page.getByRole('checkbox', { name: `Select ${NAME}:1` }).check();
    await page.getByRole('checkbox', { name: `Select ${NAME}:2` }).check();
    await page.getByRole('link', { name: 'Compare' }).click();
    await expect(page.getByRole('table', { name: 'Candidates side by side' }).getByRole('rowheader', { name: 'Algorithm' })).toBeVisible();
    await picture(page, '05-compare');
    await newest(page);
  });

  let first = '';
  await test.step('approve with a reason', async () => {
    first = await approve(page, 'it ranks late departures better than a constant does', '06-approve');
    await picture(page, '07-live');
  });

  const before = new Map<string, Sight>();
  await test.step('look at the screens, before anything was predicted', async () => {
    for (const path of CHANGED) before.set(path, await see(page, path));
  });

  await test.step('predict one row', async () => {
    await rail(page, 'Predictions').click();
    await page.getByRole('combobox', { name: 'Model' }).selectOption(NAME);
    await page.getByRole('button', { name: 'Predict late' }).click();
    const answer = page.getByRole('region', { name: 'Answer' });
    await expect(answer.getByRole('link', { name: first })).toBeVisible();
    await expect(answer).toContainText(/Took[\d.]+ m?s/);
    await heading(page).scrollIntoViewIfNeeded();
    await picture(page, '08-predict');
  });

  await test.step('run a batch', async () => {
    await page.locator('input[type=file]').setInputFiles({ name: 'july.csv', mimeType: 'text/csv', buffer: Buffer.from(csv(JULY.slice(0, ROWS))) });
    await expect(heading(page)).toHaveText('july.csv: 1,500 rows predicted', JOB);
    await picture(page, '09-batch');
  });

  await test.step('see drift', async () => {
    await rail(page, 'Runs').click();
    await page.getByRole('searchbox', { name: 'Dataset' }).fill(NAME);
    await page.getByRole('link', { name: /^drift-/ }).first().click(JOB);
    await succeeded(page);
    await rail(page, 'Monitoring').click();
    await page.getByRole('combobox', { name: 'Model' }).selectOption(NAME);
    await expect(heading(page)).toHaveText(/^\d+ of \d+ features drifted on /);
    await picture(page, '10-drift');
  });

  await test.step('retrain', async () => {
    await rail(page, 'Datasets').click();
    await page.getByRole('link', { name: NAME, exact: true }).click();
    await drop(page, NAME, 'with-july.csv', csv([...winter, ...JULY.slice(0, ROWS)]));
    await expect(page.getByRole('table', { name: 'Versions' }).getByRole('row', { name: /^v2/ })).toContainText('Ready', JOB);
    await rail(page, 'Monitoring').click();
    await page.getByRole('combobox', { name: 'Model' }).selectOption(NAME);
    await page.getByRole('link', { name: 'Retrain with this data' }).click();
    await train(page, 'July is not like winter', '11-retrain');
    await newest(page);
    await approve(page, 'it has seen a summer, and is no worse in winter');
  });

  await test.step('roll back', async () => {
    await page.getByRole('button', { name: 'Roll back…' }).click();
    const dialog = page.getByRole('dialog', { name: `Roll ${NAME} back?` });
    await dialog.getByRole('textbox').fill('the airline asked for the version that it knows');
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await expect(page.getByText(`Live: ${first}`)).toBeVisible();
    await expect(page.getByText('the airline asked for the version that it knows')).toBeVisible();
    await picture(page, '12-rolled-back');
  });

  await test.step('see another state of the platform on every screen, and the former one again in its answers', async () => {
    for (const [path, then] of before) {
      const now = await see(page, path);
      expect.soft(now.figures, path).not.toEqual(then.figures);
      const again = await see(page, path, then.answers);
      expect.soft(again.figures, `${path}, told what it was told then`).toEqual(then.figures);
    }
  });
});
