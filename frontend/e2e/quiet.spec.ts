import { expect, test } from './fixtures';
import { SCREENS } from './screens';

declare global {
  interface Window {
    violations: string[];
  }
}

for (const path of SCREENS) {
  test(`A5 ${path} loads without an error, a refused policy or a failed request`, async ({ page }) => {
    const faults: string[] = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('requestfailed', (request) => faults.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on('response', (response) => response.status() >= 400 && faults.push(`${response.url()} ${response.status()}`));
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    });

    const answer = await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await page.waitForLoadState('networkidle');

    expect(answer?.headers()['content-security-policy']).toContain("require-trusted-types-for 'script'");
    expect(await page.evaluate(() => window.violations)).toEqual([]);
    expect(faults).toEqual([]);
  });
}
