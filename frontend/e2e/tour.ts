/** Pictures of the story for docs/tour.md: taken when MILLRACE_TOUR names a directory, never in an ordinary run of the specs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

const DIRECTORY = process.env.MILLRACE_TOUR;
/** The platform of a tour is its own, so that names may be short. */
export const ON_TOUR = DIRECTORY !== undefined;
const QUALITY = 82;

/** What is in sight now, as `<name>.webp`. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!DIRECTORY) return;
  await page.evaluate(() => document.fonts.ready);
  const devtools = await page.context().newCDPSession(page);
  const { data } = (await devtools.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })) as { data: string };
  await devtools.detach();
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(join(DIRECTORY, `${name}.webp`), Buffer.from(data, 'base64'));
}
