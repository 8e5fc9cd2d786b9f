// What a clinical vector says of each field of the record: given, or filled in.
import type { Analysis } from "../api/types";

type Clinical = NonNullable<Analysis["clinical"]>;

export interface RecordField {
  /** As in the record: "sex", "who_grade". */
  name: string;
  /** The category, or null where the field is a number. */
  category: string | null;
  /** The number as the model reads it (scaled to 0..1), or null. */
  scaled: number | null;
  imputed: boolean;
}

const FLAG = "_missing";
// The vector is named by its columns; these two fields have other names in the record.
const FIELDS: Record<string, string> = { gender: "sex", histology: "histological_type" };

/** The fields of `clinical`, in the vector's order. */
export function fieldsOf(clinical: Clinical): RecordField[] {
  const names = Object.keys(clinical.features);
  const flags = names.filter((name) => name.endsWith(FLAG));
  return flags.map((flag) => {
    const base = flag.slice(0, -FLAG.length);
    const number = clinical.features[base];
    const chosen = names.find(
      (name) => name !== flag && name.startsWith(`${base}_`) && (clinical.features[name] ?? 0) >= 0.5,
    );
    return {
      name: FIELDS[base] ?? base,
      category: chosen ? chosen.slice(base.length + 1) : null,
      scaled: number ?? null,
      imputed: (clinical.features[flag] ?? 0) >= 0.5,
    };
  });
}
