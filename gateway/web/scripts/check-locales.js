// Every language has exactly the words of English, and the same {names} in each.
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../src/locales/", import.meta.url);
const read = (file) => flatten(JSON.parse(readFileSync(new URL(file, folder), "utf8")));
const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

function flatten(tree, path = "") {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value]] : flatten(value, `${path}${key}.`),
  );
}

const english = new Map(read("en.json"));
const faults = [];
for (const file of readdirSync(folder)) {
  const words = new Map(read(file));
  for (const [key, text] of english) {
    const other = words.get(key);
    if (other === undefined) faults.push(`${file}: ${key} is missing`);
    else if (String(names(text)) !== String(names(other))) faults.push(`${file}: ${key} has other {names}`);
  }
  for (const key of words.keys()) if (!english.has(key)) faults.push(`${file}: ${key} is not in en.json`);
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
