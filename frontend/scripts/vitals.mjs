// LCP, blocking time, layout shift and navigation of screens as ux.md's profiles L and M have it: node scripts/vitals.mjs [path…]
// with MILLRACE_WEB (a front door) and MILLRACE_SESSION. Medians of five loads with an empty cache. Fails over budget.
// With RESULTS, the file that they are kept in, too.
import { writeFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';

import { launch, signedIn } from './browser.mjs';

const LOADS = Number(process.env.LOADS ?? 5);
const SLACK = Number(process.env.SLACK ?? 1);
const PROFILES = {
  L: { budget: { lcp: 1000, tbt: 150, cls: 0.05, usable: 800 } },
  // 150 ms there and back, 1.6 Mb/s, a processor a quarter as fast.
  M: { network: { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 200_000 }, cpu: 4, budget: { lcp: 2500, tbt: 600, cls: 0.05, usable: Infinity } },
};
const NAVIGATION_MS = 100;
const paths = process.argv.slice(2).length ? process.argv.slice(2) : ['/', '/runs', '/models', '/models/penguins/1', '/datasets', '/monitoring'];
const web = process.env.MILLRACE_WEB ?? 'http://127.0.0.1:4711';
const session = signedIn();
const browser = await launch();
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** In the page: what the browser says of itself, from the first moment on. */
function observe() {
  window.vitals = { lcp: 0, tbt: 0, cls: 0, usable: 0 };
  const watch = (type, act) => new PerformanceObserver((list) => list.getEntries().forEach(act)).observe({ type, buffered: true });
  watch('largest-contentful-paint', (entry) => (window.vitals.lcp = entry.startTime));
  watch('longtask', (entry) => (window.vitals.tbt += Math.max(0, entry.duration - 50)));
  watch('layout-shift', (entry) => !entry.hadRecentInput && (window.vitals.cls += entry.value));
  new MutationObserver((_, observer) => {
    if (!document.querySelector('h1')) return;
    window.vitals.usable = performance.now();
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
}

async function load(path, { network, cpu }) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript((kept) => sessionStorage.setItem('millrace.session', kept), session);
  await page.addInitScript(observe);
  const devtools = await page.context().newCDPSession(page);
  if (network) await devtools.send('Network.emulateNetworkConditions', network);
  if (cpu) await devtools.send('Emulation.setCPUThrottlingRate', { rate: cpu });
  await page.goto(web + path);
  await page.waitForLoadState('networkidle');
  const vitals = await page.evaluate(() => window.vitals);
  await page.close();
  return vitals;
}

/** From the press in the rail to the new heading, its data at hand. */
async function navigation() {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript((kept) => sessionStorage.setItem('millrace.session', kept), session);
  await page.goto(`${web}/models`);
  await page.waitForLoadState('networkidle');
  const times = [];
  for (const to of ['/runs', '/datasets', '/models', '/runs', '/datasets', '/models', '/runs', '/datasets']) {
    await page.hover(`nav.rail a[href="${to}"]`);
    await page.waitForLoadState('networkidle');
    const taken = await page.evaluate(async (path) => {
      const heading = document.querySelector('h1');
      const from = performance.now();
      document.querySelector(`nav.rail a[href="${path}"]`).click();
      while (document.querySelector('h1') === heading || !document.querySelector('h1')) await new Promise((done) => requestAnimationFrame(done));
      return performance.now() - from;
    }, to);
    // The first visits bring the data.
    times.push(taken);
  }
  await page.close();
  return median(times.slice(3));
}

let over = 0;
const kept = {};
const line = (what, name, value, budget, unit) => {
  const wrong = value > budget * SLACK;
  over += wrong ? 1 : 0;
  (kept[what] ??= {})[name] = { median: Number(value.toFixed(3)), ...(Number.isFinite(budget) && { budget }) };
  console.log(`${what.padEnd(28)} ${name.padEnd(10)} ${(unit === 'ms' ? value.toFixed(0) : value.toFixed(3)).padStart(8)} ${unit} of ${budget}${wrong ? '  OVER' : ''}`);
};
for (const [profile, settings] of Object.entries(PROFILES)) {
  for (const path of paths) {
    const loads = [];
    for (let n = 0; n < LOADS; n += 1) loads.push(await load(path, settings));
    for (const [name, budget] of Object.entries(settings.budget)) line(`${profile} ${path}`, name, median(loads.map((each) => each[name])), budget, name === 'cls' ? '' : 'ms');
  }
}
line('navigation, warm', 'heading', await navigation(), NAVIGATION_MS, 'ms');
await browser.close();
if (process.env.RESULTS) {
  const measured = { machine: `${arch()}, ${cpus().length} cores, ${browser.version()}`, measured_on: new Date().toISOString().slice(0, 10), loads: LOADS, medians: kept };
  writeFileSync(process.env.RESULTS, `${JSON.stringify(measured, null, 2)}\n`);
}
if (over) {
  console.error(`${over} over budget`);
  process.exit(1);
}
