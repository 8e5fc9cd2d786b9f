// Writes into the built page what it was built from, so that a check without Node can tell whether it is current.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = [
  "src",
  "public",
  "scripts",
  "index.html",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "vite.config.ts",
  "../../docs/openapi.json",
  "../../samples",
];

function files(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => files(join(path, name)));
}

const sources = Object.fromEntries(
  SOURCES.flatMap((name) => files(join(root, name)))
    .map((path) => [relative(root, path), createHash("sha256").update(readFileSync(path)).digest("hex")])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(join(root, "../src/gateway/web/dist/sources.json"), `${JSON.stringify(sources, null, 1)}\n`);
