/** What stands in a screen with a digit in it, and the answers that it came from. */
import type { Page } from '@playwright/test';

import { open } from './fixtures';

/** Every answer of the platform that the page gets from now on, as `change` gives it back. */
export async function pass(page: Page, change: (body: unknown, url: string) => unknown): Promise<void> {
  await page.route('**/api/**', async (route) => {
    if (route.request().method() !== 'GET') return route.continue();
    const response = await route.fetch();
    if (!response.headers()['content-type']?.includes('json')) return route.fulfill({ response });
    return route.fulfill({ response, json: change(await response.json(), route.request().url()) });
  });
}

/** The texts that have a digit, but for times that pass by themselves. */
export async function figures(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.querySelector('main')!, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { textContent: text, parentElement: around } = walker.currentNode;
      if (/\d/.test(text ?? '') && !around!.closest('time, .updated, .running .meta, code, option, script')) found.push(text!.trim());
    }
    return found;
  });
}

/** A screen at one state of the platform: what it was told, by address, and what it showed. */
export interface Sight {
  answers: Map<string, unknown>;
  figures: string[];
}

/** A screen as the platform is now; with answers of another time, as it was then. */
export async function see(page: Page, path: string, then?: Map<string, unknown>): Promise<Sight> {
  const answers = new Map<string, unknown>();
  await pass(page, (body, url) => {
    const told = then?.get(url) ?? body;
    answers.set(url, told);
    return told;
  });
  await open(page, path);
  const shown = await figures(page);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  return { answers, figures: shown };
}
