import { readFileSync } from 'node:fs';

import { expect, test as base, type Page } from '@playwright/test';

/** `session.json` of a platform (scripts/dashboard_platform.py): tests that are not about signing in start signed in. */
const SESSION = process.env.MILLRACE_SESSION;

/** Every test also fails for what the console or the network complained of, unless it expects it. */
export const test = base.extend<{ complaints: string[] }>({
  complaints: async ({}, use) => {
    const complaints: string[] = [];
    await use(complaints);
    expect(complaints).toEqual([]);
  },
  page: async ({ page, complaints }, use) => {
    if (SESSION) await signInWith(page, (JSON.parse(readFileSync(SESSION, 'utf8')) as { session: unknown }).session);
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await use(page);
  },
});

async function signInWith(page: Page, session: unknown): Promise<void> {
  await page.addInitScript((kept) => sessionStorage.setItem('millrace.session', kept), JSON.stringify(session));
}

/** The screen at an address, once its data is there. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0);
}

/** Answers of the API at a path, as the test says: `body`, or a status. */
export async function answer(page: Page, path: string, body: unknown, status = 200): Promise<void> {
  await page.route(`**/api${path}`, (route) => route.fulfill({ status, json: body }));
}

export { expect };
