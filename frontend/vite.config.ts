import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// Where /api goes while building: MILLRACE_ORIGIN is a platform's front door (`make up` prints it), which signs people in too;
// MILLRACE_API is the API itself, as scripts/dashboard_platform.py prints it.
const { MILLRACE_API: api, MILLRACE_ORIGIN: origin = 'http://127.0.0.1:4710' } = process.env;
const door = ['/config.json', '/oauth2', '/login', '/logout'].map((path) => [path, { target: origin }]);
const proxy = {
  ...Object.fromEntries(door),
  '/api': api ? { target: new URL(api).origin, rewrite: (path: string) => path.replace(/^\/api/, new URL(api).pathname) } : { target: origin },
};

/** What draws is asked for by the page, and not by the entry, which has to arrive first. */
const frameWithThePage: Plugin = {
  name: 'frame-with-the-page',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler(html, { bundle = {} }) {
      const frame = Object.values(bundle).find((each) => each.type === 'chunk' && each.name === 'frame');
      if (frame?.type !== 'chunk') throw new Error('There is no chunk of src/app/frame.tsx');
      const files = [frame.fileName, ...frame.imports].filter((file) => !html.includes(file));
      return files.map((file) => ({ tag: 'link', attrs: { rel: 'modulepreload', crossorigin: true, href: `/${file}` }, injectTo: 'head' as const }));
    },
  },
};

export default defineConfig({
  plugins: [react(), frameWithThePage],
  server: { port: 4720, proxy },
  preview: { port: 4721, proxy },
  build: {
    target: 'es2022',
    manifest: true,
    modulePreload: { polyfill: false },
    // Nothing inline: the content security policy allows no data: scripts, styles or fonts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    // What understands an address and asks, what draws, and a chunk for each screen: many small ones would wait for each other.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'asking', test: /src\/app\/routes\.tsx$/, priority: 3 },
            { name: 'frame', test: /src\/app\/frame\.tsx$/, priority: 2 },
            { name: 'parts', test: /@mui|src\/(ui|api)\//, minShareCount: 2, priority: 1 },
          ],
        },
      },
    },
  },
  test: {
    environment: 'happy-dom',
    environmentOptions: { happyDOM: { url: 'http://millrace.test/' } },
    setupFiles: ['test/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    restoreMocks: true,
  },
});
