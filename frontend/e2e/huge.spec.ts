/** A file of 5 GB, chosen as a person does. It is a hole, so no disk holds it; a storage of the test's own takes its parts and forgets them. */
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { CDPSession, Page } from '@playwright/test';

import { expect, open, test } from './fixtures';

const FIVE_GB = 5 * 1024 ** 3;
const MOST_BYTES = 100_000_000;
// The policy names the platform's storage, and not this one; a trace would keep what is sent.
test.use({ bypassCSP: true, trace: 'off' });

/** How often the heap is looked at on the way. */
const LOOKS = 8;

/** A file that says it is this long: a hole, which takes no room. */
function sparse(path: string, size: number): string {
  const file = openSync(path, 'w');
  ftruncateSync(file, size);
  closeSync(file);
  return path;
}

/** What the page holds once all that nobody needs is gone: its objects, and the buffers behind them. */
async function heap(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize } = (await devtools.send('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize: number };
  return usedSize + backingStorageSize;
}

/** A storage that counts what arrives. `onPart` is waited for before a part is answered. */
async function storage(onPart: (number: number, bytes: number) => Promise<void>): Promise<Server> {
  const server = createServer((request, response) => {
    const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Methods': 'PUT', 'Access-Control-Allow-Headers': '*', 'Access-Control-Max-Age': '600' };
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', async () => {
      if (request.method === 'PUT') await onPart(Number(request.url!.slice(1)), bytes);
      response.writeHead(200, cors).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

/**
 * What the API says to POSTs at these addresses, said otherwise. Not by `page.route`, which holds every request, whatever its
 * address, until all that it sends has gone through the test: minutes for 5 GB.
 */
async function answered(devtools: CDPSession, changes: Array<[address: string, change: (said: Record<string, unknown>) => object]>): Promise<void> {
  devtools.on('Fetch.requestPaused', async ({ requestId, request, responseStatusCode }) => {
    const change = changes.find(([address]) => request.url.endsWith(address.slice(1)))?.[1];
    if (request.method !== 'POST' || !change) return devtools.send('Fetch.continueRequest', { requestId });
    const { body, base64Encoded } = await devtools.send('Fetch.getResponseBody', { requestId });
    const said = JSON.parse(Buffer.from(body, base64Encoded ? 'base64' : 'utf8').toString()) as Record<string, unknown>;
    return devtools.send('Fetch.fulfillRequest', {
      requestId,
      responseCode: responseStatusCode! < 300 ? responseStatusCode! : 202,
      responseHeaders: [{ name: 'Content-Type', value: 'application/json' }],
      body: Buffer.from(JSON.stringify(change(said))).toString('base64'),
    });
  });
  await devtools.send('Fetch.enable', { patterns: changes.map(([urlPattern]) => ({ urlPattern, requestStage: 'Response' as const })) });
}

async function make(page: Page): Promise<void> {
  const name = `huge-${Date.now().toString(36)}`;
  await open(page, '/datasets');
  await page.getByRole('button', { name: 'New dataset…' }).first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Make the dataset' }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
}

test('D3 a file of 5 GB does not raise the heap by more than 100 MB', async ({ page }, info) => {
  test.slow();
  await make(page);
  const devtools = await page.context().newCDPSession(page);
  const arrived: Array<[number: number, bytes: number]> = [];
  const during: number[] = [];
  let parts: Array<{ number: number; size_bytes: number; address: string }> = [];
  const server = await storage(async (number, bytes) => {
    arrived.push([number, bytes]);
    if (arrived.length % Math.ceil(parts.length / LOOKS) === 0) during.push(await heap(devtools));
  });
  const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await answered(devtools, [
    // Each part goes there, as its ticket says.
    ['*/uploads', (said) => ({ ...said, parts: (parts = (said.parts as typeof parts).map((part) => ({ ...part, address: `${place}/${part.number}` }))) })],
    // The platform's storage has none of it, and the platform says so.
    ['*/complete', () => ({ upload_id: '0', dataset: 'huge', key: 'uploads/huge/huge.csv', run_id: 'ingest-0' })],
  ]);
  const before = await heap(devtools);

  await page.locator('input[type=file]').setInputFiles(sparse(info.outputPath('huge.csv'), FIVE_GB));

  await expect(page.getByRole('status').filter({ hasText: 'huge.csv is in' })).toBeVisible({ timeout: 120_000 });
  server.close();
  expect(arrived).toEqual(parts.map(({ number, size_bytes }) => [number, size_bytes]));
  expect(arrived.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(FIVE_GB);
  expect(during.length).toBeGreaterThanOrEqual(LOOKS - 1);
  const raised = [...during, await heap(devtools)].map((each) => each - before);
  console.log(`${parts.length} parts; the heap rose by at most ${(Math.max(...raised) / 1e6).toFixed(1)} MB, and by ${(raised.at(-1)! / 1e6).toFixed(1)} MB in the end`);
  expect(Math.max(...raised)).toBeLessThan(MOST_BYTES);
});
