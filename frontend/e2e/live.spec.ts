/** A run that is watched: the platform's own training run, as it was while it ran, with a log as long as the statement asks for. */
import { gzipSync } from 'node:zlib';

import type { CDPSession, Page } from '@playwright/test';

import type { components } from '../src/api/schema';
import { expect, open, test } from './fixtures';

type Detail = components['schemas']['RunDetail'];
type Line = components['schemas']['LogLineAnswer'];

/** Times are of the processor, not of the wall: these specs share it with others. CI may take twice as long. */
const SLACK = 2;
const JOB = 'training-1-xgboost';

const lines = (from: number, to: number, text = (n: number) => `line ${n}`): Line[] =>
  Array.from({ length: to - from }, (_, index) => ({ at: new Date(1_700_000_000_000 + (from + index) * 10).toISOString(), job: JOB, text: text(from + index) }));

interface Watched {
  /** The address of the run. */
  path: string;
  /** What was asked for, without the answers that were not changed. */
  sent: { bytes: number };
}

/** The platform's training run, shown as `state` says; `log` answers from a cursor on, and `pace` is X-Poll-After. */
async function watched(page: Page, change: (run: Detail) => Detail, log: (cursor: number) => Line[], pace = 2): Promise<Watched> {
  await open(page, '/runs?state=SUCCEEDED&dataset=penguins');
  const path = (await page.getByRole('link', { name: /^training-/ }).first().getAttribute('href'))!;
  const headers = { 'X-Poll-After': String(pace) };
  const sent = { bytes: 0 };
  let real: Detail | undefined;
  let last = '';
  await page.route(`**/api${path}/logs*`, (route) => {
    const cursor = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
    const more = log(cursor);
    sent.bytes += gzipSync(JSON.stringify(more)).length;
    return route.fulfill({ json: { lines: more, next_cursor: String(cursor + more.length) }, headers });
  });
  await page.route(`**/api${path}`, async (route) => {
    real ??= (await (await route.fetch()).json()) as Detail;
    const shown = JSON.stringify(change(structuredClone(real)));
    // What did not change is a 304 without a body (A11), for which the browser has no use when a test answers.
    sent.bytes += shown === last ? 173 : gzipSync(shown).length;
    last = shown;
    return route.fulfill({ body: shown, contentType: 'application/json', headers });
  });
  return { path, sent };
}

const running = (run: Detail): Detail => ({ ...run, state: 'RUNNING', ended_at: null, seconds: null, outcome: null });

/** Seconds of the page's main thread since the last call. */
async function meter(page: Page): Promise<() => Promise<number>> {
  const devtools: CDPSession = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  let before = 0;
  const read = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    const now = metrics.find(({ name }) => name === 'TaskDuration')!.value;
    const passed = now - before;
    before = now;
    return passed;
  };
  await read();
  return read;
}

test('U2 a log that is opened late begins with its last thousand lines; later answers carry only what is new', async ({ page }) => {
  let total = 1000;
  const asked: number[] = [];
  const { path } = await watched(page, running, (cursor) => {
    asked.push(cursor);
    return lines(cursor, total);
  });
  await page.goto(path);
  await expect(page.getByRole('log')).toContainText('line 999');
  total = 1007;
  await expect(page.getByRole('log')).toContainText('line 1006');
  await expect(page.getByRole('region', { name: 'Log' })).toContainText('1,007 lines');
  expect(asked.slice(0, 2)).toEqual([0, 1000]);
});

test('U3 of 20,000 lines fewer than 80 are in the document, one is found at once, and little memory is taken', async ({ page }) => {
  const { path } = await watched(page, running, (cursor) => lines(cursor, Math.min(cursor + 1000, 20_000), (n) => (n === 12_345 ? 'validation: the needle' : `validation: round ${n} loss=0.4${n}`)), 0.05);
  await page.goto(path);
  const log = page.getByRole('region', { name: 'Log' });
  await expect(log).toContainText('20,000 lines', { timeout: 30_000 });

  expect(await page.locator('.log-line').count()).toBeLessThan(80);
  const spent = await meter(page);
  await log.getByRole('searchbox', { name: 'Find in the log' }).fill('needle');
  await expect(log).toContainText('1 line of 20,000 lines');
  await expect(page.locator('.log-line')).toHaveText(/12346.*the needle/);
  expect(await spent()).toBeLessThan(0.1 * SLACK);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  expect(usedSize).toBeLessThan(50e6);
});

test('U4 a minute of a live run costs at most 60 kB and a second and a half of the processor', async ({ page }) => {
  await page.clock.install();
  let polls = 0;
  const { path, sent } = await watched(page, (run) => ({ ...running(run), steps: run.steps.slice(0, 2 + Math.floor(polls / 10)) }), (cursor) => {
    polls += 1;
    return lines(cursor, cursor + 5, (n) => `{"event": "rounds", "rounds": ${n}, "of": 600, "validation_loss": 0.4${n}}`);
  });
  await page.goto(path);
  await expect(page.getByRole('log')).toContainText('"rounds": 4,');
  const spent = await meter(page);
  const before = { polls, bytes: sent.bytes };

  for (let second = 0; second < 60; second += 2) {
    const at = polls;
    await page.clock.runFor(2000);
    await expect.poll(() => polls).toBeGreaterThan(at);
  }

  expect(polls - before.polls).toBeLessThanOrEqual(31);
  expect(sent.bytes - before.bytes).toBeLessThan(60_000);
  expect(await spent()).toBeLessThan(1.5 * SLACK);
});

test('U5 scrolling up ends Follow, and pressing it again returns to the end', async ({ page }) => {
  let total = 300;
  const { path } = await watched(page, running, (cursor) => lines(cursor, total), 1);
  await page.goto(path);
  const log = page.getByRole('log');
  const follow = page.getByRole('button', { name: 'Follow' });
  await expect(log).toContainText('line 299');
  await expect(follow).toHaveAttribute('aria-pressed', 'true');

  await log.hover();
  await page.mouse.wheel(0, -2000);
  await expect(follow).toHaveAttribute('aria-pressed', 'false');
  const top = await log.evaluate((box) => box.scrollTop);
  total = 320;
  await expect(page.getByRole('region', { name: 'Log' })).toContainText('320 lines');
  expect(await log.evaluate((box) => box.scrollTop)).toBe(top);
  await follow.click();
  await expect(log).toContainText('line 319');
  await expect(follow).toHaveAttribute('aria-pressed', 'true');
});

test('U6 the cause of a failure is in sight, and “Show in log” lands on its line', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  let job = '';
  const { path } = await watched(
    page,
    (run) => {
      const steps = run.steps.slice(0, 3);
      const failed = steps.findIndex((step) => step.job);
      job = steps[failed]!.job!.name;
      steps[failed] = { ...steps[failed]!, state: 'FAILED', reason: 'ValueError: fold 3 has one class' };
      return { ...run, state: 'FAILED', outcome: null, reason: 'ValueError: fold 3 has one class', steps };
    },
    (cursor) => lines(cursor, 600, (n) => (n === 300 ? 'ValueError: fold 3 has one class' : `round ${n}`)).map((line) => ({ ...line, job })),
    0,
  );
  await page.goto(path);
  await expect(page.getByText('ValueError: fold 3 has one class').first()).toBeInViewport();

  await page.getByRole('button', { name: 'Show in log' }).click();

  await expect(page).toHaveURL(/line=301/);
  const line = page.locator('.log-line.asked');
  await expect(line).toContainText('ValueError: fold 3 has one class');
  await expect(line).toBeInViewport();
});
