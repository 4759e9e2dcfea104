// The browser of the scripts that look at screens, and the session that they look with (MILLRACE_SESSION).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium as playwright } from '@playwright/test';

const SYSTEM_BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The system's Chromium, else the one that npm brought: it unpacks its own libraries and needs to be told its fonts. */
export async function launch() {
  const fonts = join(tmpdir(), 'look-fonts');
  mkdirSync(fonts, { recursive: true });
  writeFileSync(join(fonts, 'fonts.conf'), `<?xml version="1.0"?>\n<fontconfig><dir>${tmpdir()}/fonts</dir><cachedir>${tmpdir()}/fonts-cache</cachedir></fontconfig>\n`);
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs20.x';
  process.env.FONTCONFIG_PATH ??= fonts;
  const installed = process.env.CHROMIUM ?? SYSTEM_BROWSERS.find((path) => existsSync(path));
  const executablePath = installed ?? (await (await import('@sparticuz/chromium')).default.executablePath());
  return playwright.launch({ executablePath, args: ['--no-sandbox', '--no-zygote'] });
}

/** What the dashboard keeps in a tab of somebody who has signed in, as text. */
export function signedIn() {
  return JSON.stringify(JSON.parse(readFileSync(process.env.MILLRACE_SESSION, 'utf8')).session);
}
