import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { defineConfig } from '@playwright/test';

const SYSTEM_BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The system's Chromium, else the one that npm brought: it unpacks its own libraries and needs to be told its fonts. */
async function browser(): Promise<string> {
  const installed = process.env.CHROMIUM ?? SYSTEM_BROWSERS.find((path) => existsSync(path));
  if (installed) return installed;
  const fonts = resolve('test-results/fonts');
  mkdirSync(fonts, { recursive: true });
  writeFileSync(join(fonts, 'fonts.conf'), `<?xml version="1.0"?>\n<fontconfig><dir>${tmpdir()}/fonts</dir><cachedir>${tmpdir()}/fonts-cache</cachedir></fontconfig>\n`);
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs20.x';
  process.env.FONTCONFIG_PATH ??= fonts;
  const { default: chromium } = await import('@sparticuz/chromium');
  return chromium.executablePath();
}

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // One worker lives the story, which mostly waits for jobs; the other shows the screens meanwhile.
  workers: 2,
  projects: [
    { name: 'story', testMatch: 'story.spec.ts' },
    { name: 'screens', testIgnore: 'story.spec.ts' },
  ],
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env.MILLRACE_WEB ?? 'http://127.0.0.1:4721',
    viewport: { width: 1440, height: 900 },
    launchOptions: { executablePath: await browser(), args: ['--no-sandbox', '--no-zygote'] },
    trace: 'retain-on-failure',
  },
});
