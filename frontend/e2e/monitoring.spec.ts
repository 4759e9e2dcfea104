/** Monitoring: one check for real, on the penguins that every platform of these specs has; a drifted month as the contract shows it. */
import type { Page } from '@playwright/test';

import type { components } from '../src/api/schema';
import { example } from './contract';
import { expect, open, test } from './fixtures';

type Screen = components['schemas']['MonitoringScreen'];
type Cell = components['schemas']['HeatmapCell'];

const DAYS = ['2026-11-17', '2026-11-18', '2026-11-19'];
const ID = 'drift-5f1c9a7be2d04c11-data';

const cell = (score: number, verdict: Cell['verdict'], sentence: string): Cell => ({ verdict, metric: 'wasserstein', score, threshold: 0.2, share: score / 0.2, sentence });

const CELLS: Record<string, Array<Cell | null>> = {
  temp: [null, cell(0.15, 'OK', '`temp` rose by 0.1 sd'), cell(1.21, 'DRIFT', '`temp` rose by 1.2 sd')],
  wind: [null, cell(0.02, 'OK', '`wind` did not move'), cell(0.31, 'DRIFT', '`wind` fell by 0.3 sd')],
  day: [null, cell(0, 'SKIPPED', '`day`: time moves on by itself'), cell(0, 'SKIPPED', '`day`: time moves on by itself')],
};

function drifted(feature: string): Screen {
  const last = CELLS[feature]!.at(-1)!;
  const shown: Screen['shown'] = {
    model: 'flights',
    champion: 'flights:3',
    heading: '2 of 2 features drifted on 2026-11-19',
    counts: { day: DAYS[2]!, drifted: 2, ok: 0, skipped: 1 },
    traffic: (example('/dashboard/monitoring') as Screen).shown!.traffic,
    reports: { items: [], next_cursor: null },
    labels: (example('/dashboard/monitoring') as Screen).shown!.labels,
    heatmap: {
      days: DAYS,
      report_ids: [null, ID, ID],
      verdicts: [null, 'OK', 'DRIFT'],
      rows: Object.entries(CELLS).map(([name, cells]) => ({ feature: name, importance_share: 0.2, cells })),
    },
    selected: {
      feature,
      kind: 'number',
      verdict: last.verdict,
      sentence: last.sentence,
      reason: null,
      destroyed: false,
      p_value: 0.001,
      scores: [{ metric: 'wasserstein', score: last.score!, threshold: 0.2, error: 0 }],
      shift_sd: 1.2,
      smallest_shift_sd: 0.26,
      importance_share: 0.2,
      overlay: { edges: [10, 40, 70], levels: [], baseline: [0.8, 0.2], window: [0.3, 0.7] },
      report_id: ID,
      day: DAYS[2]!,
      baseline: 'flights:3',
      baseline_rows: 4200,
      window: 'requests from 2026-11-19 00:00 to 2026-11-20 00:00',
      window_rows: 4210,
    },
  };
  return { models: [{ name: 'flights', dataset: 'flights' }], shown };
}

async function flights(page: Page): Promise<void> {
  await page.route('**/api/dashboard/monitoring?*', (route) => route.fulfill({ json: drifted(new URL(route.request().url()).searchParams.get('feature') ?? 'temp') }));
}

test('a check of two versions writes a report that the screen shows, and that can be had as a page', async ({ page }) => {
  await open(page, '/monitoring?model=penguins');
  await page.getByRole('button', { name: 'Check now…' }).click();
  await page.getByRole('combobox', { name: 'What to look at' }).selectOption('versions');
  await page.getByRole('textbox', { name: 'Version that it is now' }).fill('1');
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await expect(page).toHaveURL(/\/runs\/drift-/);
  await expect(page.getByText('Succeeded').first()).toBeVisible({ timeout: 60_000 });

  await page.goto('/monitoring?model=penguins');

  await expect(page.getByRole('heading', { level: 1 })).toContainText('Nothing drifted on');
  const grid = page.getByRole('grid', { name: /Drift by feature and day/ });
  await expect(grid.getByRole('gridcell', { name: /bill_length_mm on .*: (?!no check)/ })).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Report drift-.*-data as HTML$/ }).first().click();
  expect((await download).suggestedFilename()).toMatch(/^drift-.*-data\.html$/);
});

test('M1 the heading counts the features that drifted, and so do the cells of the last day', async ({ page }) => {
  await flights(page);
  await open(page, '/monitoring?model=flights');

  await expect(page.getByRole('heading', { level: 1 })).toHaveText('2 of 2 features drifted on 2026-11-19');
  await expect(page.locator('.heat tbody td:last-child.heat-drift')).toHaveCount(2);
  await expect(page.getByRole('gridcell', { name: 'temp on 2026-11-18: temp rose by 0.1 sd' })).toHaveText('.15');
  await expect(page.getByRole('gridcell', { name: 'wind on 2026-11-18: wind did not move' })).toHaveText('');
  await expect(page.getByRole('gridcell', { name: 'day on 2026-11-19: not judged, day: time moves on by itself' })).toBeVisible();
});

test('M2 arrows move in the heatmap, Enter chooses, and the URL holds it', async ({ page }) => {
  await flights(page);
  await open(page, '/monitoring?model=flights');
  await page.getByRole('gridcell', { selected: true }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('gridcell', { name: /^wind on 2026-11-18/ })).toBeFocused();

  await page.keyboard.press('Enter');

  await expect(page).toHaveURL(/feature=wind/);
  await expect(page).toHaveURL(/day=(%22)?2026-11-18/);
  await expect(page.getByRole('gridcell', { name: /^wind on 2026-11-18/ })).toBeFocused();
  await page.reload();
  await expect(page.getByRole('gridcell', { selected: true })).toHaveAccessibleName('wind on 2026-11-18: wind did not move');
  await expect(page.getByRole('region', { name: 'What this means' })).toContainText('wind did not move');
});

test('what a model was asked in the last day is told in figures', async ({ page }) => {
  await flights(page);
  await open(page, '/monitoring?model=flights');
  const requests = page.getByRole('region', { name: 'Requests of the last 24 hours' });

  for (const figure of ['1,204', '1 (0.1 %)', '4.2 ms', '18.6 ms']) await expect(requests).toContainText(figure);
});

test('labels that joined a prediction are told beside those that wait for theirs', async ({ page }) => {
  await flights(page);
  await open(page, '/monitoring?model=flights');
  const labels = page.getByRole('region', { name: 'Labels of the last 30 days' });

  await expect(labels).toContainText('812 of 900 labels joined a prediction; 88 wait for theirs, the oldest since 2026-11-02.');
  await expect(labels).toContainText('3,410 of 4,210 predictions wait for their labels');
});

test('on a phone no line ends inside a date', async ({ page }) => {
  await flights(page);
  await open(page, '/monitoring?model=flights');
  const date = page.getByRole('heading', { level: 1 }).locator('time');

  await expect(date).toHaveText('2026-11-19');
  for (const width of [390, 360, 330, 300]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await date.evaluate((element) => element.getClientRects().length), `${width} px`).toBe(1);
  }
});

test('M3 the overlay names both periods and their sizes, and has its figures', async ({ page }) => {
  await flights(page);
  await open(page, '/monitoring?model=flights');
  const overlay = page.getByRole('region', { name: 'temp: training and now' });

  await expect(overlay).toContainText('Training: flights:3, 4,200 rows');
  await expect(overlay).toContainText('Now: requests from 2026-11-19 00:00 to 2026-11-20 00:00, 4,210 rows');
  await overlay.getByRole('button', { name: /show as table/ }).click();
  await expect(overlay.getByRole('row').nth(1)).toContainText('80.0 %');
});

test('M1 what drifted for real: the heading counts it, the overview and the alerts lead to it', async ({ page }) => {
  await open(page, '/monitoring?model=seabirds');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/^2 of 7 features drifted on/);
  await expect(page.locator('.heat tbody td:last-child.heat-drift')).toHaveCount(2);
  await expect(page.getByRole('region', { name: 'What this means' })).toContainText('bill_length_mm rose by 2.2 sd');

  await page.goto('/');
  await page.getByRole('link', { name: /Inputs of seabirds drifted/ }).click();

  await expect(page).toHaveURL(/\/monitoring\?model=seabirds$/);
});
