"""How the figures come about: one text for the report and the cards."""

from model_export.datasets.split import DEFAULT_SEED, FOLDS

PROTOCOL = (
    f"{FOLDS}-fold cross-validation by whole groups (patients; near-duplicate clusters where the patient is "
    "unknown, merged where copies of one picture lay in two), stratified by class and source, seed "
    f"{DEFAULT_SEED}: every patient is judged by a network that never saw them. Schedules are fixed and the "
    "weights averaged; no weights are chosen on the part that is tested. The length of the recipes was: shorter "
    "ones had been judged on the same folds before, so the figures may be a little kind. A test slice that has a "
    "copy in its fold's training part is not judged. Temperatures, thresholds and mask cuts that judge a fold are"
    " fitted on the other folds' answers. A published default is trained by the same recipe on all patients, or "
    "on the training part of one fold where the table of published files says so; what it carries is fitted on "
    "the out-of-fold answers there are. The figures are those of its recipe on four fifths of the patients. The "
    "zoo is trained and judged on fold 0, the same for all. Intervals are 95 % percentile intervals of 1,000 "
    "bootstrap resamples of whole groups, never of slices."
)
COMMAND = "model-export evaluate --data ../shared/data --out docs/evaluation"
