import AxeBuilder from '@axe-core/playwright';

import { expect, open, test } from './fixtures';
import { SCREENS } from './screens';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WIDTHS = [1440, 390];

async function violations(page: import('@playwright/test').Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`));
}

for (const theme of ['light', 'dark'] as const) {
  for (const width of WIDTHS) {
    test.describe(`${theme}, ${width} px`, () => {
      // Without motion: a menu that is half faded in has half its contrast.
      test.use({ colorScheme: theme, viewport: { width, height: 900 }, contextOptions: { reducedMotion: 'reduce' } });
      for (const path of SCREENS) {
        test(`${path} has nothing that keeps anybody out`, async ({ page }) => {
          await open(page, path);
          expect(await violations(page)).toEqual([]);
        });
      }
      test('nor have the palette, the shortcuts and the menu of the user', async ({ page }) => {
        await open(page, '/');
        await page.keyboard.press('Control+k');
        await expect(page.getByRole('combobox')).toBeFocused();
        expect(await violations(page)).toEqual([]);
        await page.keyboard.press('Escape');
        await page.keyboard.press('?');
        await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
        expect(await violations(page)).toEqual([]);
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: /Signed in as/ }).click();
        await expect(page.getByRole('menuitem', { name: 'Sign out' })).toBeVisible();
        expect(await violations(page)).toEqual([]);
      });
    });
  }
}

for (const width of [390, 768, 1440, 1920]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 900 } });
    for (const path of SCREENS) {
      test(`${path} does not scroll sideways`, async ({ page }) => {
        await open(page, path);
        const wider = await page.evaluate(() => [document.documentElement, document.querySelector('main')!].map((each) => each.scrollWidth - each.clientWidth));
        expect(wider).toEqual([0, 0]);
      });
    }
  });
}
