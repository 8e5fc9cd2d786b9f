"""The report: `evaluation.json`, `README.md` and figures, all written by this code."""

from collections.abc import Sequence
from pathlib import Path

from model_export.catalog import RESEARCH_ONLY
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.figures import save_confusion, save_coverage, save_dice, save_intervals
from model_export.evaluation.results import (
    ClassifierResult,
    DiceRow,
    EvaluationResults,
    LeakageStudy,
    SegFilmResult,
    SegT1Result,
    SourceRow,
    TumorResult,
    ViewResult,
)

_COMMAND = "model-export evaluate --data ../shared/data --out docs/evaluation"


def write_report(results: EvaluationResults, out: Path) -> None:
    """Write everything into the folder `out` (it is made)."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "evaluation.json").write_text(results.model_dump_json(indent=1) + "\n", encoding="utf-8")
    parts = [_head(results)]
    summary = _summary(results)
    if summary:
        save_intervals(
            out / "summary.png", summary, "Test patients, 95 % group-bootstrap interval (orange: leaky split)"
        )
    if results.view:
        parts.append(_view(results.view, out))
    if results.tumor:
        parts.append(_tumor(results.tumor, out))
    if results.view and results.tumor:
        pairs = [("view", results.view.grouped), ("tumor", results.tumor.grouped)]
        save_coverage(out / "coverage.png", pairs, 0.95)
        parts.append(_coverage())
    if results.seg_t1:
        parts.append(_seg_t1(results.seg_t1, out))
    if results.seg_flair_film:
        parts.append(_seg_film(results.seg_flair_film, out))
    if results.clinical:
        found = results.clinical
        imputed = ", ".join(f"{name} {value:.4g}" for name, value in found.imputed.items())
        parts.append(
            "## clinical: record to vector\n\n"
            f"{found.records} records (every patient's own, the same with 30 % of the fields hidden, the empty one): "
            f"largest difference from scikit-learn {found.largest_difference:.1e}; every value lies in "
            f"{found.lowest:.0f}..{found.highest:.0f}. A missing value becomes: {imputed}; its flag is set.\n"
        )
    (out / "README.md").write_text("\n".join(parts), encoding="utf-8")


def _head(results: EvaluationResults) -> str:
    rows = [[name, f"`{sha[:12]}`", f"`{results.groups_sha256[name][:12]}`"] for name, sha in results.sha256.items()]
    return (
        "# Evaluation of the published models\n\n"
        f"Written by `{_COMMAND}` on the published ONNX files through onnxruntime on the CPU, preprocessing and mask "
        "cutting being the services' own functions. Nothing here is typed by hand.\n\n"
        f"**Protocol.** {results.protocol} Seed {results.seed}. Intervals are 95 % percentile intervals of 1,000 "
        "bootstrap resamples of whole groups, never of slices.\n\n"
        f"**{RESEARCH_ONLY}**\n\n![summary](summary.png)\n\n"
        + _table(["model", "file (sha256)", "groups (sha256)"], rows)
    )


def _summary(results: EvaluationResults) -> list[tuple[str, Estimate, bool]]:
    rows: list[tuple[str, Estimate, bool]] = []
    if results.view:
        rows += [
            ("view: accuracy", results.view.grouped.accuracy, False),
            ("view: accuracy, external set", results.view.external, False),
        ]
    if results.tumor:
        rows += [
            ("tumor or not: accuracy", results.tumor.binary_accuracy, False),
            ("tumor: four-class accuracy", results.tumor.grouped.accuracy, False),
            ("tumor: macro-F1", results.tumor.grouped.macro_f1, False),
        ]
        if results.tumor.leaky:
            rows += [
                ("leakage study, by group: macro-F1", results.tumor.leaky.grouped_macro_f1, False),
                ("leakage study, by slice: macro-F1", results.tumor.leaky.leaky_macro_f1, True),
            ]
    if results.seg_t1:
        rows.append(("seg-t1: Dice a tumor slice", results.seg_t1.overall.mean, False))
    if results.seg_flair_film:
        rows += [
            ("seg-flair-film: Dice a patient", results.seg_flair_film.full.mean, False),
            ("seg-flair-film: FLAIR alone, no record", results.seg_flair_film.flair_only_empty_record.mean, False),
        ]
    return rows


def _view(result: ViewResult, out: Path) -> str:
    save_confusion(
        out / "view_confusion.png",
        [
            (result.grouped.confusion, result.grouped.labels, "Test groups of t1_slices"),
            (result.external_confusion, result.grouped.labels, "External: views64"),
        ],
    )
    sequences = ", ".join(f"{name} {value:.3f}" for name, value in result.external_sequences.items())
    return (
        "## view: which plane\n\n"
        f"Accuracy **{_interval(result.grouped.accuracy)}** on {_size(result.grouped.accuracy)} of `t1_slices`; "
        f"**{_interval(result.external)}** on the external `views64` (64 x 64 pixels, {result.external.slices} slices; "
        f"each slice counts as a group there), by sequence: {sequences}.\n\n"
        "![confusion](view_confusion.png)\n\n"
        + _classes(result.grouped)
        + "\nBy source, test groups (the last rows are other scanners, sequences and skull-stripped volumes):\n\n"
        + _sources([*result.grouped.sources, *result.other_sources])
    )


def _tumor(result: TumorResult, out: Path) -> str:
    save_confusion(
        out / "tumor_confusion.png", [(result.grouped.confusion, result.grouped.labels, "Test groups of t1_slices")]
    )
    probes = result.probes
    text = (
        "## tumor: which type, or none\n\n"
        f"Macro-F1 **{_interval(result.grouped.macro_f1)}**, accuracy {_interval(result.grouped.accuracy)} on "
        f"{_size(result.grouped.accuracy)}. Tumor or not: accuracy **{_interval(result.binary_accuracy)}**, area under "
        f"the curve {_interval(result.binary_auc)}, sensitivity {result.binary_sensitivity:.3f}, specificity "
        f"{result.binary_specificity:.3f}. Expected calibration error {result.grouped.calibration_error:.3f} after "
        "temperature scaling.\n\n![confusion](tumor_confusion.png)\n\n" + _classes(result.grouped)
    )
    text += (
        "\n**Where the evidence lies.** The strongest position of the true class' map touches the tumor's outline in "
        f"{_interval(result.evidence.pointing)} of {_size(result.evidence.pointing)} with an outline; "
        f"{_interval(result.evidence.inside)} of the map lies on positions that touch it (a uniform map: "
        f"{result.evidence.chance:.3f} in both).\n"
    )
    if result.leaky:
        text += _leakage(result.leaky)
    text += "\nBy source, test groups:\n\n" + _sources(list(result.grouped.sources))
    text += "\nOther scanners, sequences and skull-stripped volumes (test groups of the extras):\n\n"
    text += _sources(list(result.extras))
    return text + (
        "\n**Shortcut probe.** With the inner two thirds of every picture blacked out, so that only the rim is left, "
        f"the model answers tumor or not with an accuracy of {probes['rim_only_binary_accuracy']:.3f} (saying "
        f'"tumor" always: {probes["always_tumor_binary_accuracy"]:.3f}) and a macro-F1 of '
        f"{probes['rim_only_macro_f1']:.3f}: what is above chance there comes from the picture's source. The no-tumor "
        "slices are from other scanners than most tumors, so the figures above hold for such mixtures only.\n"
    )


def _leakage(study: LeakageStudy) -> str:
    rows = [
        ["by group", _interval(study.grouped_accuracy), _interval(study.grouped_macro_f1)],
        ["by slice (**leaky**)", _interval(study.leaky_accuracy), _interval(study.leaky_macro_f1)],
    ]
    gain = study.leaky_macro_f1.value - study.grouped_macro_f1.value
    verdict = (
        f"Here the careless split flatters the same recipe by {gain:.3f} in macro-F1."
        if gain > 0
        else "In this study no gain from the leak is seen: the arms differ within their intervals, on different test "
        "slices, after a short training. That is no evidence that leakage is harmless."
    )
    return (
        "\n### What leakage is worth\n\nOne recipe, trained twice: the tumor network on pictures of "
        f"{study.size} px, {study.epochs} epochs, as many slices on each side; once split by group, once by slice, so "
        "that slices of one patient fall on both sides. Neither arm is published (`model-export leakage` trains them; "
        "both read the features of the published view model, which never saw the grouped test patients). The leaky "
        "figure measures nothing that a hospital would see. "
        + verdict
        + "\n\n"
        + _table(["split", "accuracy", "macro-F1"], rows)
    )


def _coverage() -> str:
    return (
        "## Prediction sets\n\nClass-conditional split conformal sets at a nominal 95 %, thresholds from the "
        "calibration groups (at most .5), coverage measured on the test groups. Slices of one patient are not "
        "exchangeable with those of another, so the guarantee is approximate: the figure shows what came of it.\n\n"
        "![coverage](coverage.png)\n"
    )


def _seg_t1(result: SegT1Result, out: Path) -> str:
    save_dice(out / "seg_t1_dice.png", [result.overall, *result.classes], "seg-t1: Dice of each tumor slice", "slices")
    return (
        "## seg-t1: the tumor's outline on one slice\n\n"
        f"Mean Dice **{_interval(result.overall.mean)}**, median {result.overall.median:.3f}, on "
        f"{_size(result.overall.mean)}, in the pictures' own grid. Two experts agree on such borders at a mean of .73 "
        "(glioma), .92 (meningioma), .83 (pituitary).\n\n![Dice](seg_t1_dice.png)\n\n"
        + _dices([*result.classes, *result.views])
        + f"\nOn the {_size(result.false_positive_rate)} without a tumor anything at all is marked in "
        f"{_interval(result.false_positive_rate)}, more than 1 % of the picture in "
        f"{result.false_positive_large_rate:.3f} (the product asks the tumor model first).\n"
    )


def _seg_film(result: SegFilmResult, out: Path) -> str:
    rows = [result.full, result.empty_record, result.flair_only, result.flair_only_empty_record]
    save_dice(out / "seg_film_dice.png", [*rows[::3], result.brats], "seg-flair-film: Dice of each volume", "patients")
    return (
        "## seg-flair-film: the FLAIR abnormality of a glioma\n\n"
        f"Mean Dice a patient's volume **{_interval(result.full.mean)}**, median {result.full.median:.3f}, on "
        f"{_size(result.full.mean).replace('slices', 'volumes')}; mean over tumor slices {result.slice_mean:.3f}; an "
        f"empty slice is marked in {result.empty_slice_false_positive_rate:.3f}.\n\n![Dice](seg_film_dice.png)\n\n"
        + _dices([*rows, result.brats])
        + "\nThe rows show what the clinical record and the two T1 sequences add: differences within the intervals are "
        "not to be taken for an effect. The BraTS row is another population (high grade, skull-stripped, test cases of "
        "the same split).\n"
    )


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _size(estimate: Estimate) -> str:
    return f"{estimate.slices} slices of {estimate.groups} groups"


def _classes(result: ClassifierResult) -> str:
    rows = [
        [
            row.label,
            str(row.slices),
            f"{row.recall:.3f}",
            f"{row.precision:.3f}",
            f"{row.f1:.3f}",
            f"{result.coverage.get(row.label, 0.0):.3f}",
        ]
        for row in result.classes
    ]
    return _table(["class", "slices", "recall", "precision", "F1", "set coverage"], rows)


def _sources(rows: Sequence[SourceRow]) -> str:
    cells = [[row.source, str(row.slices), str(row.groups), f"{row.accuracy:.3f}"] for row in rows]
    return _table(["source", "slices", "groups", "accuracy"], cells)


def _dices(rows: Sequence[DiceRow]) -> str:
    cells = [[row.label, str(row.mean.slices), _interval(row.mean), f"{row.median:.3f}"] for row in rows]
    return _table(["", "n", "mean Dice", "median"], cells)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
