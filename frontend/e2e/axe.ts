/** What axe finds, in words that a failing test can print. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect } from './fixtures';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const THEMES = ['light', 'dark'] as const;

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`));
}

/** Nothing keeps anybody out of what is shown, in the light and in the dark. Without motion: what is half faded in has half its contrast. */
export async function expectOpenToAll(page: Page, what: string): Promise<void> {
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
    expect.soft(await violations(page), `${what}, ${theme}`).toEqual([]);
  }
}

/** Neither the document nor its main part is wider than its place. */
export async function expectNoSidewaysScroll(page: Page, what: string): Promise<void> {
  const wider = await page.evaluate(() => [document.documentElement, document.querySelector('main')!].map((each) => each.scrollWidth - each.clientWidth));
  expect.soft(wider, what).toEqual([0, 0]);
}
