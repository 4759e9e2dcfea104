// Pictures of screens, to look at: node scripts/look.mjs <directory> <path>… with MILLRACE_WEB and MILLRACE_SESSION.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { launch, signedIn } from './browser.mjs';

const [directory, ...paths] = process.argv.slice(2);
const session = signedIn();
const browser = await launch();
mkdirSync(directory, { recursive: true });
for (const [look, colorScheme, width, height] of [
  ['light', 'light', 1440, 900],
  ['dark', 'dark', 1440, 900],
  ['phone', 'light', 390, 844],
]) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.addInitScript((kept) => sessionStorage.setItem('millrace.session', kept), session);
  page.on('console', (message) => message.type() === 'error' && console.error(look, message.text()));
  page.on('pageerror', (error) => console.error(look, error.message));
  for (const path of paths) {
    await page.goto((process.env.MILLRACE_WEB ?? 'http://127.0.0.1:4721') + path);
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(directory, `${path.replace(/\W+/g, '_') || 'home'}-${look}.png`), fullPage: process.env.FULL === '1' });
  }
  await page.close();
}
await browser.close();
