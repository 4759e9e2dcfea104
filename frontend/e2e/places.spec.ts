/** An address holds what is looked at; what is asked for again moves nothing; a deploy while a tab is open ends nothing. */
import { expect, open, test } from './fixtures';

test('A6 reloaded, and in another tab, an address shows the same; Back restores the list where it was', async ({ page, context }) => {
  await page.setViewportSize({ width: 1440, height: 300 });
  await open(page, '/runs');
  await page.getByRole('group', { name: 'Status' }).getByRole('button', { name: /^Succeeded/ }).click();
  await page.getByRole('searchbox', { name: 'Dataset' }).fill('penguins');
  await expect(page).toHaveURL(/dataset=penguins/);
  // The head and rows of penguins: until then the list is the one before, and longer.
  await expect(page.getByRole('row').filter({ hasNotText: 'penguins' })).toHaveCount(1);
  const link = page.getByRole('link', { name: /^training-/ }).first();
  await link.scrollIntoViewIfNeeded();
  const before = await page.evaluate(() => Math.max(scrollY, document.querySelector('main')!.scrollTop));
  await link.click();
  await expect(page.getByRole('group', { name: 'Steps of the run' })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('searchbox', { name: 'Dataset' })).toHaveValue('penguins');
  await expect(page.getByRole('button', { name: /^Succeeded/ })).toHaveAttribute('aria-pressed', 'true');
  await expect.poll(() => page.evaluate(() => Math.max(scrollY, document.querySelector('main')!.scrollTop))).toBe(before);

  const kept = await page.evaluate(() => sessionStorage.getItem('millrace.session'));
  const other = await context.newPage();
  await other.addInitScript((session) => sessionStorage.setItem('millrace.session', session!), kept);
  await other.goto(page.url());
  for (const tab of [other, page]) {
    await tab.reload();
    await expect(tab.getByRole('searchbox', { name: 'Dataset' })).toHaveValue('penguins');
    await expect(tab.getByRole('button', { name: /^Succeeded/ })).toHaveAttribute('aria-pressed', 'true');
    await expect(tab.getByRole('row').filter({ hasText: 'Failed' })).toHaveCount(0);
  }
});

test('A11 five answers that bring nothing new move nothing: not the page, what is typed, chosen or focused', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 300 });
  await page.clock.install();
  let asked = 0;
  let first: string | undefined;
  await page.route('**/api/activity*', async (route) => {
    asked += 1;
    first ??= await (await route.fetch()).text();
    await route.fulfill({ body: first, contentType: 'application/json', headers: { 'X-Poll-After': '2' } });
  });
  await open(page, '/activity');
  // How many decisions wait is the frame's own question, whose first answer may come after the screen's.
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => {
    const box = document.querySelector<HTMLInputElement>('main [data-filter]')!;
    box.focus();
    window.scrollTo(0, 40);
  });
  await page.getByRole('heading', { level: 1 }).evaluate((heading) => getSelection()!.selectAllChildren(heading));
  const state = () => page.evaluate(() => ({ top: scrollY, main: document.querySelector('main')!.scrollTop, focused: document.activeElement?.hasAttribute('data-filter'), chosen: String(getSelection()) }));
  const before = await state();
  await page.evaluate(() => {
    const moved: string[] = [];
    Object.assign(window, { moved });
    // Times pass by themselves, and React writes an input's attributes again as they are: neither is a change by the answer.
    const counts = ({ type, target, attributeName, oldValue }: MutationRecord) =>
      type === 'attributes' ? (target as Element).getAttribute(attributeName!) !== oldValue && attributeName !== 'name' && attributeName !== 'type' : !(target.nodeType === Node.TEXT_NODE ? target.parentElement! : (target as Element)).closest('time, .updated');
    const observer = new MutationObserver((changes) => moved.push(...changes.filter(counts).map(({ type, target }) => `${type} of ${target.nodeName} ${target.textContent}`)));
    observer.observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeOldValue: true });
  });

  for (let answers = asked + 1; answers <= 6; answers += 1) {
    await page.clock.runFor(2000);
    await expect.poll(() => asked).toBeGreaterThanOrEqual(answers);
  }

  expect(await page.evaluate(() => (window as unknown as { moved: string[] }).moved)).toEqual([]);
  expect(await state()).toEqual(before);
});

test('A12 after a deploy that took the old chunks away, the next navigation loads the new build and arrives', async ({ page, complaints }) => {
  await open(page, '/');
  let gone = 0;
  // The old build's chunk of the screen is not there any more; the page that is loaded then is the new build's.
  await page.route(/\/assets\/Activity-.*\.js/, (route) => (gone++ === 0 ? route.fulfill({ status: 404, body: '' }) : route.continue()));

  await page.getByRole('link', { name: 'Activity' }).click();

  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Who did what');
  await expect(page.getByRole('table', { name: 'Activity' })).toBeVisible();
  expect(gone).toBeGreaterThan(1);
  complaints.length = 0;
});

test('A2 a first load asks at most 25 times, for at most 30 kB of answers', async ({ page }) => {
  let asked = 0;
  const answers: Array<Promise<number>> = [];
  page.on('response', (response) => {
    asked += 1;
    if (response.url().includes('/api/')) answers.push(response.body().then((body) => body.length));
  });
  await open(page, '/');
  await page.waitForLoadState('networkidle');
  expect(asked).toBeLessThanOrEqual(25);
  expect((await Promise.all(answers)).reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(30_000);
});
