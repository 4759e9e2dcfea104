/** One screen is one request: what a screen shows first comes in one answer. */
import type { Page } from '@playwright/test';

import { example } from './contract';
import { expect, open, test } from './fixtures';
import { SCREENS } from './screens';

/** The frame around every screen asks for itself, whichever it is: how many decisions wait. On the Overview it is the screen's own answer. */
const FRAME = '/dashboard/overview';
/** What somebody asks for beside the screen: with two versions in the address, how they differ. */
const ASKED_FOR: Record<string, string[]> = { '/datasets/seabirds/2?against=1': ['/datasets/seabirds/diff'] };

/** The paths that a screen asks for when its address is opened, each as often as it is asked for. */
async function asked(page: Page, path: string): Promise<string[]> {
  const found: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() === 'GET' && pathname.startsWith('/api/')) found.push(decodeURIComponent(pathname.slice('/api'.length)));
  });
  await open(page, path);
  await page.waitForLoadState('networkidle');
  return found;
}

for (const path of SCREENS) {
  test(`one screen, one request: ${path}`, async ({ page }) => {
    const found = await asked(page, path);
    const own = path === '/' ? found : found.filter((each) => each !== FRAME);
    expect(found.filter((each) => each === FRAME)).toHaveLength(1);
    const beside = ASKED_FOR[path] ?? [];
    expect(own.filter((each) => beside.includes(each))).toEqual(beside);
    expect(own.filter((each) => !beside.includes(each))).toHaveLength(1);
  });
}

/** The page that a list's first link of this name leads to, opened by its address. */
async function addressOf(page: Page, list: string, link: RegExp): Promise<string> {
  await open(page, list);
  return (await page.getByRole('main').getByRole('link', { name: link }).first().getAttribute('href'))!;
}

test('one screen, one request: a run, and its log, which is read on by its cursor', async ({ page }) => {
  const path = await addressOf(page, '/runs?state=SUCCEEDED&dataset=penguins', /^training-/);
  const found = (await asked(page, path)).filter((each) => each !== FRAME);
  expect([...new Set(found)].sort()).toEqual([`/runs/${path.split('/').at(-1)}`, `/runs/${path.split('/').at(-1)}/logs`]);
});

test('one screen, one request: an alert', async ({ page }) => {
  const path = await addressOf(page, '/alerts', /^Ingest of unreadable failed/);
  expect((await asked(page, path)).filter((each) => each !== FRAME)).toEqual([path]);
});

test('one screen, one request: a job of predictions, as the contract shows one', async ({ page }) => {
  const shown = example('/dashboard/predictions/{job_id}') as { job: { job_id: string } };
  const path = `/predictions/${shown.job.job_id}`;
  await page.route(`**/api/dashboard${path}`, (route) => route.fulfill({ json: shown }));
  expect((await asked(page, path)).filter((each) => each !== FRAME)).toEqual([`/dashboard${path}`]);
});
