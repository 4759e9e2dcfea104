/** A version that is not the first: what it is compared with, who may decide, and what a decision changes elsewhere. */
import type { Page } from '@playwright/test';

import type { components } from '../src/api/schema';
import { expect, open, test } from './fixtures';
import { signInAs } from './people';

type Screen = components['schemas']['ModelVersionScreen'];

const PENGUINS_1 = /\/dashboard\/models\/penguins(:|%3A)1$/;

/** penguins:2 as it would be if penguins:1 were live and it were judged against that: the platform's own figures, both. */
async function challenger(page: Page): Promise<[own: Screen['version']['metrics'], live: Screen['version']['metrics']]> {
  const metrics: [Screen['version']['metrics'], Screen['version']['metrics']] = [{}, {}];
  await page.route(/\/dashboard\/models\/penguins(:|%3A)2$/, async (route) => {
    const real = (await (await route.fetch()).json()) as Screen;
    const other = (await (await route.fetch({ url: route.request().url().replace(/2$/, '1') })).json()) as Screen;
    Object.assign(metrics[0], real.version.metrics);
    Object.assign(metrics[1], other.version.metrics);
    const { id, number } = other.version;
    const rival: Screen['rival'] = { id, number, metrics: other.version.metrics, curves: other.evaluation!.curves };
    await route.fulfill({ json: { ...real, rival, version: { ...undecided(real).version, verdict: { ...real.version.verdict, compared_with: id } } } });
  });
  return metrics;
}

function undecided(real: Screen): Screen {
  return { ...real, version: { ...real.version, approval: { ...real.version.approval, state: 'PENDING' } } };
}

test('V5 each metric says better or worse than what is live, by its own direction', async ({ page }) => {
  const metrics = await challenger(page);
  await open(page, '/models/penguins/2');
  const tile = page.getByRole('group', { name: 'Log loss' });
  await expect(tile).toContainText('than v1');
  const [own, live] = metrics.map(({ log_loss: loss }) => loss!.value);
  await expect(tile).toContainText(own! < live! ? 'better' : own! > live! ? 'worse' : 'same');
  const accuracy = page.getByRole('group', { name: 'Accuracy', exact: true });
  const [ownShare, liveShare] = metrics.map(({ accuracy: share }) => share!.value);
  if (ownShare !== liveShare) await expect(accuracy).toContainText(ownShare! > liveShare! ? 'better' : 'worse');
});

test('V6 moving the threshold changes who is taken for what, and marks the curves', async ({ page }) => {
  // Penguins are of three species: two classes, with figures that can be checked by hand.
  const points = Array.from({ length: 11 }, (_, index) => ({ false_positive_rate: index / 10, true_positive_rate: Math.sqrt(index / 10), threshold: 1 - index / 10 }));
  await page.route(PENGUINS_1, async (route) => {
    const real = (await (await route.fetch()).json()) as Screen;
    const [curve] = real.evaluation!.curves.roc ?? [];
    const figures = { ...real.evaluation, curves: { roc: [{ ...curve, points }] }, confusion: { classes: ['no', 'yes'], matrices: [{ threshold: 0.5, rows: [[80, 20], [10, 40]] }] } };
    await route.fulfill({ json: { ...real, evaluation: figures } });
  });
  await open(page, '/models/penguins/1');
  const confusion = page.getByRole('region', { name: /^Confusion at threshold/ });
  await expect(confusion.getByRole('row', { name: /^actual no/ })).toContainText(/80.*20/);

  await confusion.getByRole('slider').fill('0.9');

  // At 0.9: a tenth of 100 are taken for yes, and the root of a tenth of 50.
  await expect(confusion.getByRole('row', { name: /^actual no/ })).toContainText(/90.*10/);
  await expect(confusion.getByRole('row', { name: /^actual yes/ })).toContainText(/34.*16/);
  await expect(page).toHaveURL(/threshold=0.9/);
  await expect(page.getByRole('region', { name: 'ROC' })).toContainText('at threshold 0.9');
});

test('V1 who may not decide is told who does, and finds no button', async ({ browser, baseURL }) => {
  const page = await (await browser.newContext({ baseURL })).newPage();
  await page.route(PENGUINS_1, async (route) => route.fulfill({ json: undecided((await (await route.fetch()).json()) as Screen) }));
  await page.goto('/models/penguins/1');
  await signInAs(page, 'viewer');
  await expect(page.getByText('Your roles do not include decisions: an approver decides.')).toBeVisible();
  await expect(page.getByRole('button', { name: /^(Approve|Reject)…$/ })).toHaveCount(0);
  await page.context().close();
});

test('an approved version that does not serve can be deployed again, and says why', async ({ page, complaints }) => {
  let state = 'PENDING';
  let aliases = ['champion'];
  await page.route(PENGUINS_1, async (route) => {
    const real = (await (await route.fetch()).json()) as Screen;
    await route.fulfill({ json: { ...real, version: { ...real.version, aliases, approval: { ...real.version.approval, state } } } });
  });
  const run = `deployment-${'0'.repeat(12)}`;
  const asked: unknown[] = [];
  await page.route(/\/models\/penguins(:|%3A)1\/deploy$/, async (route) => {
    asked.push(route.request().postDataJSON());
    await route.fulfill({ status: 202, json: { run_id: run } });
  });
  const again = page.getByRole('button', { name: 'Deploy again…' });
  await open(page, '/models/penguins/1');
  await expect(again).toHaveCount(0);
  state = 'APPROVED';
  await open(page, '/models/penguins/1');
  await expect(again).toHaveCount(0);
  aliases = [];
  await open(page, '/models/penguins/1');

  await again.click();
  await page.getByLabel('Why').fill('The endpoint had no capacity yesterday.');
  await page.route(`**/api/runs/${run}**`, (route) => route.abort());
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy again' }).click();

  await expect(page).toHaveURL(new RegExp(`/runs/${run}`));
  complaints.splice(0); // the run is none of this platform's
  expect(asked).toEqual([{ reason: 'The endpoint had no capacity yesterday.' }]);
});
