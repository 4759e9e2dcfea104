import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// Where /api goes while building: MILLRACE_ORIGIN is a platform's front door (`make up` prints it), which signs people in too;
// MILLRACE_API is the API itself, as scripts/dashboard_platform.py prints it.
const { MILLRACE_API: api, MILLRACE_ORIGIN: origin = 'http://127.0.0.1:4710' } = process.env;
const door = ['/config.json', '/oauth2', '/login', '/logout'].map((path) => [path, { target: origin }]);
const proxy = {
  ...Object.fromEntries(door),
  '/api': api ? { target: new URL(api).origin, rewrite: (path: string) => path.replace(/^\/api/, new URL(api).pathname) } : { target: origin },
};

export default defineConfig({
  plugins: [react()],
  server: { port: 4720, proxy },
  preview: { port: 4721, proxy },
  build: {
    target: 'es2022',
    manifest: true,
    modulePreload: { polyfill: false },
    // Nothing inline: the content security policy allows no data: scripts, styles or fonts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  test: {
    environment: 'happy-dom',
    environmentOptions: { happyDOM: { url: 'http://millrace.test/' } },
    setupFiles: ['test/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    restoreMocks: true,
  },
});
