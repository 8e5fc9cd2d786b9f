// The synthetic scans that come with the page.
import type { ChosenFile } from "./identify";

export interface Sample {
  name: string;
  files: readonly string[];
  kind: "slice" | "volume";
  view: string | null;
  tumor_class: string;
}

const FOLDER = "/samples/";

/** None where the page was built without them. */
export async function listSamples(signal: AbortSignal): Promise<Sample[]> {
  const answer = await fetch(`${FOLDER}samples.json`, { signal });
  return answer.ok ? ((await answer.json()) as Sample[]) : [];
}

export async function filesOf(sample: Sample): Promise<ChosenFile[]> {
  return Promise.all(
    sample.files.map(async (path) => {
      const answer = await fetch(FOLDER + path);
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      const name = path.slice(path.lastIndexOf("/") + 1);
      return { file: new File([await answer.blob()], name), folder: "" };
    }),
  );
}

/** The picture of a sample: itself, or the one that a DICOM file was made of; null of a volume. */
export function pictureOf(sample: Sample, all: readonly Sample[]): string | null {
  const pictures = all.flatMap(({ files }) => files).filter((file) => file.endsWith(".png"));
  const stem = sample.files[0]?.replace(/\.\w+$/, "");
  const found = pictures.find((file) => file === `${stem}.png`);
  return found ? FOLDER + found : null;
}

/** The format that a slice comes in, where it is no plain picture. */
export function formatOf(sample: Sample): string | null {
  if (sample.kind === "volume") return "NIfTI";
  return sample.files[0]?.endsWith(".dcm") ? "DICOM" : null;
}
