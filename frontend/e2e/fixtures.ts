import { readFileSync } from 'node:fs';

import { test as base, type Page } from '@playwright/test';

/** `session.json` of a platform (scripts/dashboard_platform.py): tests that are not about signing in start signed in. */
const SESSION = process.env.MILLRACE_SESSION;

export const test = base.extend({
  page: async ({ page }, use) => {
    if (SESSION) await signInWith(page, (JSON.parse(readFileSync(SESSION, 'utf8')) as { session: unknown }).session);
    await use(page);
  },
});

async function signInWith(page: Page, session: unknown): Promise<void> {
  await page.addInitScript((kept) => sessionStorage.setItem('millrace.session', kept), JSON.stringify(session));
}

export { expect } from '@playwright/test';
