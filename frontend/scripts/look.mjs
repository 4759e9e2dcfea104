// Pictures of screens, to look at: node scripts/look.mjs <directory> <path>… with MILLRACE_WEB and MILLRACE_SESSION.
import { readFileSync } from 'node:fs';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium as playwright } from '@playwright/test';

const [directory, ...paths] = process.argv.slice(2);
const fonts = join(tmpdir(), 'look-fonts');
mkdirSync(fonts, { recursive: true });
writeFileSync(join(fonts, 'fonts.conf'), `<?xml version="1.0"?>\n<fontconfig><dir>${tmpdir()}/fonts</dir><cachedir>${tmpdir()}/fonts-cache</cachedir></fontconfig>\n`);
process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs20.x';
process.env.FONTCONFIG_PATH ??= fonts;
const installed = ['/usr/bin/chromium'].find((path) => existsSync(path));
const executablePath = installed ?? (await (await import('@sparticuz/chromium')).default.executablePath());
const session = JSON.stringify(JSON.parse(readFileSync(process.env.MILLRACE_SESSION, 'utf8')).session);
const browser = await playwright.launch({ executablePath, args: ['--no-sandbox', '--no-zygote'] });
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
