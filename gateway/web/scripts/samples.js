// The bundled samples as files of the page, with a list of them: /samples/samples.json and /samples/<file>.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const VOLUME = "volume";

/** @param {string} folder where samples/ is */
function listed(folder) {
  const { files } = JSON.parse(readFileSync(join(folder, "samples.json"), "utf8"));
  const slices = Object.entries(files)
    .filter(([file]) => !file.includes("/"))
    .map(([file, { view, tumor_class }]) => ({
      name: file.replace(/\.png$/, "").replace(".", "-"),
      kind: "slice",
      files: [file],
      view,
      tumor_class,
    }));
  const inVolume = join(folder, VOLUME);
  if (!existsSync(inVolume)) return slices;
  const parts = readdirSync(inVolume).filter((file) => file.endsWith(".nii.gz"));
  const volume = {
    name: VOLUME,
    kind: "volume",
    files: parts.map((file) => `${VOLUME}/${file}`),
    view: null,
  };
  return [...slices, { ...volume, tumor_class: "glioma" }];
}

/** Vite plugin. @param {string} folder where samples/ is */
export function samples(folder) {
  const list = listed(folder);
  const contents = new Map(list.flatMap(({ files }) => files).map((file) => [file, join(folder, file)]));
  const index = JSON.stringify(list);
  return {
    name: "samples",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "samples/samples.json", source: index });
      for (const [file, path] of contents) {
        this.emitFile({ type: "asset", fileName: `samples/${file}`, source: readFileSync(path) });
      }
    },
    configureServer(server) {
      server.middlewares.use("/samples", (request, answer, next) => {
        const file = (request.url ?? "").slice(1);
        const path = contents.get(file);
        if (file !== "samples.json" && !path) return next();
        answer.end(path ? readFileSync(path) : index);
      });
    },
  };
}
