import { readFileSync } from 'node:fs';

import { expect, type Page } from '@playwright/test';

interface Person {
  name: string;
  password: string;
  groups: string[];
}

/** Whom the local platform lets in (`dashboard.json`): `demo` may everything, the others have the role they are named after. */
export function person(name: string): Person {
  const file = process.env.MILLRACE_PEOPLE;
  if (!file) throw new Error('MILLRACE_PEOPLE must name the dashboard.json of a local platform: see frontend/README.md');
  const { people } = JSON.parse(readFileSync(file, 'utf8')) as { people: Person[] };
  const found = people.find((each) => each.name === name);
  if (!found) throw new Error(`${file} knows nobody called ${name}`);
  return found;
}

/** Fill in the pool's own sign-in page, and wait until it has sent us back. */
export async function signInAs(page: Page, name: string): Promise<void> {
  const { password } = person(name);
  await page.getByLabel('Username').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('button', { name: `Signed in as ${name}` })).toBeVisible();
}
