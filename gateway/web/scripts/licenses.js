// The licenses of all that the built page holds of others, as a file of the page: /licenses.txt.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FILE = "licenses.txt";
const NAMED = /^(licen[sc]e|copying|notice)(\.|$)/i;
/** Packages that come without the text of their license; it is kept here. */
const KEPT_HERE = new Map([["@niivue/niivue", new URL("licenses/niivue.txt", import.meta.url)]]);

const manifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Names of the packages that `root` depends on when it runs, and of those that they depend on. */
function packages(root) {
  const found = new Set();
  const ahead = Object.keys(manifest(root).dependencies);
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    ahead.push(...Object.keys(manifest(join(root, "node_modules", name)).dependencies ?? {}));
  }
  return [...found].sort();
}

function section(root, name) {
  const folder = join(root, "node_modules", name);
  const { version, license } = manifest(folder);
  const own = readdirSync(folder).filter((file) => NAMED.test(file));
  const texts = own.map((file) => readFileSync(join(folder, file), "utf8"));
  const kept = KEPT_HERE.get(name);
  if (texts.length === 0 && kept) texts.push(readFileSync(kept, "utf8"));
  if (texts.length === 0) throw new Error(`${name} has no license text: add it to scripts/licenses/.`);
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join("\n\n");
}

/** Vite plugin. @param {string} root where package.json and node_modules/ are */
export function licenses(root) {
  const written = () =>
    `${packages(root)
      .map((name) => section(root, name))
      .join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
  return {
    name: "licenses",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: FILE, source: written() });
    },
    configureServer(server) {
      server.middlewares.use(`/${FILE}`, (_, answer) => {
        answer.setHeader("Content-Type", "text/plain; charset=utf-8");
        answer.end(written());
      });
    },
  };
}
