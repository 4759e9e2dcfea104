// What a first load and each screen cost on the wire, from the build's manifest; fails over budget. Run after `npm run build`.
import { readdirSync, readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const KB = 1000;
const BUDGETS = { firstLoad: 165, entry: 150, asking: 50, route: 20, css: 8, fonts: 50 };

const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'));
const bytes = (file) => readFileSync(`dist/${file}`);
const brotli = (files) => files.reduce((sum, file) => sum + brotliCompressSync(bytes(file)).length, 0) / KB;
const gzip = (files) => files.reduce((sum, file) => sum + gzipSync(bytes(file)).length, 0) / KB;

/** The chunks that come with one: itself and what it imports statically. */
function closure(key, seen = new Set()) {
  if (!seen.has(key)) {
    seen.add(key);
    for (const each of manifest[key].imports ?? []) closure(each, seen);
  }
  return seen;
}

const files = (keys) => [...keys].map((key) => manifest[key].file);
const keyOf = (name) => Object.keys(manifest).find((key) => manifest[key].name === name);
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
// What understands an address and asks, and what draws, which the page asks for beside it (vite.config.ts).
const [asking, frame] = [keyOf('asking'), keyOf('frame')];
const shell = closure(frame, closure(entry));
const styles = (keys) => [...new Set([...keys].flatMap((key) => manifest[key].css ?? []))];
const fonts = readdirSync('dist/assets').filter((file) => file.endsWith('.woff2'));

const rows = [
  // Before it has arrived nothing is asked for.
  ['what asks: every first load, gzip', gzip(files(closure(entry))), BUDGETS.asking],
  ['what draws: every first load, gzip', gzip([manifest[frame].file]), BUDGETS.entry],
];
for (const key of manifest[asking].dynamicImports.filter((each) => each.includes('/features/'))) {
  const own = [...closure(key)].filter((each) => !shell.has(each));
  rows.push([`${key.replace('src/features/', '')}: its own, gzip`, gzip(files(own)), BUDGETS.route]);
  rows.push([`${key.replace('src/features/', '')}: first load, brotli`, brotli(files([...shell, ...own])), BUDGETS.firstLoad]);
  rows.push([`${key.replace('src/features/', '')}: style sheets, gzip`, gzip(styles([...shell, ...own])), BUDGETS.css]);
}
rows.push(['fonts', fonts.reduce((sum, file) => sum + bytes(`assets/${file}`).length, 0) / KB, BUDGETS.fonts]);

let over = 0;
for (const [what, size, budget] of rows) {
  const wrong = size > budget;
  over += wrong ? 1 : 0;
  console.log(`${what.padEnd(52)} ${size.toFixed(1).padStart(7)} kB  of ${String(budget).padStart(4)}${wrong ? '  OVER' : ''}`);
}
if (over) {
  console.error(`${over} over budget`);
  process.exit(1);
}
