/** A8: a decision, made by who has no mouse; what opens takes the focus, and gives it back. */
import type { Page } from '@playwright/test';

import { expect, open, test } from './fixtures';

/** Press a key until what is focused is called so, as a person does who looks at the ring. */
async function until(page: Page, key: string, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    const [called, ringed] = await page.evaluate(() => {
      const focused = document.activeElement as HTMLElement;
      const style = getComputedStyle(focused);
      return [focused.getAttribute('aria-label') ?? focused.textContent ?? '', style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 1] as const;
    });
    if (name.test(called)) {
      expect(ringed, `${called} shows that it has the focus`).toBe(true);
      return;
    }
    await page.keyboard.press(key);
  }
  throw new Error(`60 times ${key} did not lead to ${name}`);
}

test('A8 V2 by keyboard alone: a version is found, a short reason refused without a request, a rejection sent and kept', async ({ page }) => {
  await open(page, '/');
  const sent: string[] = [];
  page.on('request', (request) => request.method() === 'PUT' && sent.push(request.url()));
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await expect(page.getByRole('link', { name: 'penguins', exact: true })).toBeVisible();
  await until(page, 'j', /^penguins$/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('penguins');
  await expect(page.getByRole('link', { name: 'penguins:2' }).first()).toBeVisible();
  await until(page, 'j', /^penguins:2$/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('penguins v2');
  await expect(page.getByRole('button', { name: 'Reject…' })).toBeVisible();

  await until(page, 'Tab', /^Reject…$/);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Reject penguins v2?' });
  await expect(dialog.getByRole('textbox')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Reject…' })).toBeFocused();

  await page.keyboard.press('Enter');
  await page.keyboard.type('no');
  await page.keyboard.press('Control+Enter');
  await expect(dialog.getByRole('alert')).toContainText('at least 10 characters');
  await expect(dialog.getByRole('textbox')).toBeFocused();
  expect(sent).toEqual([]);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('worse than linear on every class');
  await page.keyboard.press('Control+Enter');

  await expect(dialog).toHaveCount(0);
  expect(sent).toHaveLength(1);
  await expect(page.getByText('Rejected').first()).toBeVisible();
  await expect(page.getByText('worse than linear on every class')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Reject…' })).toHaveCount(0);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('penguins');
  await page.keyboard.press('Enter');
  await expect(page.getByText('penguins:2 was rejected')).toBeVisible();
});

test('A8 a file is chosen, a filter cleared, a step of a run selected and a menu left, by keyboard alone', async ({ page }) => {
  await open(page, '/datasets/penguins');
  await until(page, 'Tab', /^Choose a file…$|^Send a file/);
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  expect(chooser.isMultiple()).toBe(false);

  await open(page, '/runs?dataset=nothing-is-called-so');
  await until(page, 'Tab', /^Clear filters$/);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/runs');
  await expect(page.getByRole('link', { name: /^training-/ }).first()).toBeVisible();
  await until(page, 'j', /^training-/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('group', { name: 'Steps of the run' })).toBeVisible();
  await until(page, 'Tab', /^Evaluate candidates/);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/step=EvaluateCandidates/);

  const menu = page.getByRole('button', { name: /^Signed in as/ });
  await menu.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Sign out' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(menu).toBeFocused();
});
