/** Screens, what each of them opens, and the pages of single things: for everybody, in both themes, on a desk and on a phone. */
import type { Page } from '@playwright/test';

import { expectNoSidewaysScroll, expectOpenToAll } from './axe';
import { example } from './contract';
import { expect, open, test } from './fixtures';
import { SCREENS } from './screens';

const HEIGHT = 900;
/** A deed whose dialog is looked at, and where it is done. Nothing is sent. */
const DIALOGS: Array<[path: string, button: RegExp]> = [
  ['/datasets', /^New dataset…$/],
  ['/datasets/penguins', /^Edit settings…$/],
  ['/models/penguins/1', /^Approve…$/],
  ['/models/penguins/1', /^Reject…$/],
  ['/models/penguins', /^Roll back…$/],
  ['/monitoring?model=penguins', /^Check now…$/],
  ['/datasets/penguins', /^Edit contract…$/],
  ['/settings', /^New key…$/],
  ['/settings', /^New schedule…$/],
  ['/settings', /^New channel…$/],
  ['/settings', /^Revoke /],
  ['/settings', /^Deliveries of /],
  ['/settings', /^Delete on-call/],
  ['/settings', /^Delete Every Monday/],
];

/** Whatever was decided already: the version waits, and its model is live. */
async function undecided(page: Page): Promise<void> {
  await page.route(/\/dashboard\/models\/penguins(:|%3A)1$/, async (route) => {
    const real = (await (await route.fetch()).json()) as { version: { approval: object } };
    await route.fulfill({ json: { ...real, version: { ...real.version, approval: { ...real.version.approval, state: 'PENDING' } } } });
  });
  await page.route('**/api/models/penguins', async (route) => {
    const real = (await (await route.fetch()).json()) as { latest: object };
    await route.fulfill({ json: { ...real, champion: real.latest, rollout: null } });
  });
}

/** The page that a list's first link of this name leads to. */
async function follow(page: Page, list: string, link: RegExp): Promise<void> {
  await open(page, list);
  await page.getByRole('main').getByRole('link', { name: link }).first().click();
  await expect(page).not.toHaveURL(list);
  await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0);
}

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: HEIGHT }, contextOptions: { reducedMotion: 'reduce' } });
    test.setTimeout(400_000);

    test('A1 A7 no screen keeps anybody out, or scrolls sideways', async ({ page }) => {
      for (const path of SCREENS) {
        await open(page, path);
        await expectOpenToAll(page, path);
        await expectNoSidewaysScroll(page, path);
      }
    });

    test('A1 nor does what a screen opens', async ({ page }) => {
      await undecided(page);
      await page.route('**/api/dashboard/settings', (route) => route.fulfill({ json: example('/dashboard/settings') }));
      await page.route(/\/api\/channels\/\w+\/deliveries/, (route) => route.fulfill({ json: example('/channels/{channel_id}/deliveries') }));
      let shown = '';
      for (const [path, button] of DIALOGS) {
        if (shown !== path) await open(page, path);
        shown = path;
        await page.getByRole('button', { name: button }).first().click();
        await expect(page.getByRole('dialog')).toBeVisible();
        await expectOpenToAll(page, `${path} ${button.source}`);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toHaveCount(0);
      }
      await follow(page, '/alerts', /^Ingest of unreadable failed/);
      for (const button of ['Take on…', 'Snooze…', 'Close…']) {
        const opener = page.getByRole('button', { name: button });
        if (!(await opener.count())) continue;
        await opener.click();
        await expectOpenToAll(page, `an alert: ${button}`);
        await page.keyboard.press('Escape');
      }
    });

    test('A1 A7 nor a run that goes on, its stop, and a job of predictions', async ({ page }) => {
      await page.route(/\/api\/runs\/training-\w+$/, async (route) => {
        const real = (await (await route.fetch()).json()) as object;
        await route.fulfill({ json: { ...real, state: 'RUNNING', ended_at: null } });
      });
      await follow(page, '/runs?state=SUCCEEDED&dataset=penguins', /^training-/);
      await page.getByRole('button', { name: 'Stop…' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      await expectOpenToAll(page, 'stop');
      const shown = example('/dashboard/predictions/{job_id}') as { job: { job_id: string } };
      const path = `/predictions/${shown.job.job_id}`;
      await page.route(`**/api/dashboard${path}`, (route) => route.fulfill({ json: shown }));
      await open(page, path);
      await expectOpenToAll(page, 'a job of predictions');
      await expectNoSidewaysScroll(page, 'a job of predictions');
    });

    test('A1 A7 nor the pages of single runs and alerts, of an address that leads nowhere, and of a platform that does not answer', async ({ page, complaints }) => {
      await follow(page, '/runs?state=SUCCEEDED&dataset=penguins', /^training-/);
      await expectOpenToAll(page, 'a training run');
      await expectNoSidewaysScroll(page, 'a training run');
      await follow(page, '/runs?state=FAILED', /^ingest-/);
      await expectOpenToAll(page, 'a failed run');
      await expectNoSidewaysScroll(page, 'a failed run');
      await follow(page, '/alerts', /^Ingest of unreadable failed/);
      await expectOpenToAll(page, 'an alert');
      await expectNoSidewaysScroll(page, 'an alert');
      await open(page, '/nowhere');
      await expectOpenToAll(page, 'nowhere');
      await page.route('**/api/**', (route) => route.abort());
      await page.goto('/runs');
      await expect(page.getByRole('alert')).toContainText('The platform does not answer.');
      await expectOpenToAll(page, 'no answer');
      complaints.length = 0;
    });

    test('A1 nor the palette, the shortcuts and the menu of the user', async ({ page }) => {
      await open(page, '/');
      await page.keyboard.press('Control+k');
      await expect(page.getByRole('combobox')).toBeFocused();
      await expectOpenToAll(page, 'palette');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
      await expectOpenToAll(page, 'shortcuts');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /Signed in as/ }).click();
      await expect(page.getByRole('menuitem', { name: 'Sign out' })).toBeVisible();
      await expectOpenToAll(page, 'menu');
    });
  });
}

for (const width of [768, 1920]) {
  test(`A7 at ${width} px no screen scrolls sideways`, async ({ page }) => {
    await page.setViewportSize({ width, height: HEIGHT });
    for (const path of SCREENS) {
      await open(page, path);
      await expectNoSidewaysScroll(page, path);
    }
  });
}
