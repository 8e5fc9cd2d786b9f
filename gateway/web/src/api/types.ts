// Short names for the parts of the gateway's OpenAPI document that the page reads.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Analysis = Schemas["Analysis"];
export type AnalysisList = Schemas["AnalysisList"];
export type Comparison = Schemas["Comparison"];
export type ModelList = Schemas["ModelList"];
export type ModelListing = Schemas["ModelListing"];
export type ModelDetail = Schemas["ModelDetail"];
export type Review = Schemas["Review"];
export type Decision = Review["decision"];
export type Reason = Schemas["Reason"];
export type SliceListing = Schemas["SliceListing"];
export type Segmentation = Schemas["SegmentationSummary"];
export type Problem = Schemas["Problem"];
export type Verdict = NonNullable<Analysis["verdict"]>;
export type AnalysisState = Analysis["state"];
export type TumorLabel = NonNullable<Analysis["tumor"]>["label"];
export type ViewLabel = NonNullable<Analysis["view"]>["label"];

export const FINAL_STATES: readonly AnalysisState[] = ["succeeded", "failed", "canceled"];
