"""The parts of a report that slices and volumes have alike."""

from gateway.reporting.content import Bar, Note, Row, Section, Table
from gateway.reporting.overlay import TUMOR_NAMES
from gateway.reporting.wording import SEQUENCE_NAMES, STAGE_NAMES, duration, words
from gateway.schemas import FinishedAnalysis
from service_kit.contracts.classification import TumorClassification

_CATEGORIES = ("gender_", "histology_", "race_", "ethnicity_")


def tumor_section(analysis: FinishedAnalysis, *also: Note) -> Section:
    """The types with their probabilities, the prediction set; `also` stands below."""
    tumor = analysis.tumor
    if tumor is None:
        return Section("Tumor type", lead=(Note("Not classified.", "faint"),))
    bars = (
        Bar(TUMOR_NAMES[label], 100 * share, chosen=label == tumor.label, plausible=label in tumor.prediction_set)
        for label, share in tumor.probabilities.items()
    )
    warnings = (Note(warning, "small") for warning in tumor.warnings)
    return Section(
        "Tumor type",
        bars=tuple(sorted(bars, key=lambda bar: -bar.percent)),
        notes=(Note(_promise(tumor)), *also, *warnings),
    )


def _promise(tumor: TumorClassification) -> str:
    coverage = f"{tumor.coverage * 100:g}\u00a0%"
    if tumor.coverage == 1:
        return "The model promises no coverage."
    if not tumor.prediction_set:
        return f"The prediction set at {coverage} is empty: the slice is unlike those the model was calibrated on."
    names = ", ".join(TUMOR_NAMES[label].lower() for label in tumor.prediction_set)
    return (
        f"Prediction set (blue bars): {names}. It holds the true label in {coverage} of cases like those it was "
        "calibrated on."
    )


def clinical_section(analysis: FinishedAnalysis) -> Section:
    """The features that are set, what was missing, and whether the outline's model read them."""
    clinical = analysis.clinical
    if clinical is None:
        return Section("Clinical data", lead=(Note("None was sent.", "faint"),))
    features = _features(clinical.features)
    notes = [Note(", ".join(features) or "No field was given.", "plain")]
    if clinical.imputed:
        notes.append(Note(f"Missing and filled in: {', '.join(words(name) for name in clinical.imputed)}."))
    notes += [Note(warning, "small") for warning in clinical.warnings]
    about = ["Values as the models read them (scaled)."]
    if analysis.metadata_effect is not None:
        about.append(analysis.metadata_effect.summary)
    if analysis.segmentation is not None:
        about.append(f"{'Used' if analysis.segmentation.clinical_used else 'Not used'} for the outline.")
    return Section("Clinical data", lead=(*notes, Note(" ".join(about))))


def _features(features: dict[str, float]) -> list[str]:
    """A category by its name, a number with its value."""
    return [
        words(name) if name.startswith(_CATEGORIES) else f"{words(name)} {value:.3g}"
        for name, value in features.items()
        if value != 0 and not name.endswith("_missing")
    ]


def view_section(analysis: FinishedAnalysis) -> Section:
    """The planes with the model's probabilities."""
    view = analysis.view
    if view is None:
        return Section("View", lead=(Note("Not classified.", "faint"),))
    bars = tuple(
        Bar(label.capitalize(), 100 * share, chosen=label == view.label, plausible=label == view.label)
        for label, share in sorted(view.probabilities.items())
    )
    source = "DICOM orientation" if analysis.input.kind == "slice" else "file's geometry"
    said = f"{view.label.capitalize()} by the {source}; the bars are the model's probabilities."
    return Section("View", bars=bars, notes=(Note(said),) if view.source == "dicom" else ())


def models_section(analysis: FinishedAnalysis, source: str) -> Section:
    """The models that ran, below `source`: what was sent, in a sentence; then warnings, times and what failed."""
    warnings = (Note(warning, "small") for warning in analysis.input.warnings)
    times = ", ".join(f"{row.name} {row.value}" for row in _timings(analysis))
    problem = analysis.problem
    failed = () if problem is None else (Note(f"{problem.title}: {problem.detail}", "small"),)
    return Section(
        "Input and models",
        lead=(Note(source, "small"), *warnings),
        table=Table(
            ("Stage", "Model", "Version", "SHA-256", "Engine", "Precision"),
            tuple(
                (
                    STAGE_NAMES[model.stage],
                    model.name,
                    model.version,
                    model.sha256[:12],
                    f"{model.backend}, {model.provider}",
                    model.precision,
                )
                for model in analysis.models
            ),
        ),
        notes=(Note(f"Time: {times}."), *failed),
    )


def substitutions(analysis: FinishedAnalysis) -> list[str]:
    """Which sequence stood in for which, and which were missing, each in a sentence without its period."""
    outline = analysis.segmentation
    if outline is None:
        return []
    names = SEQUENCE_NAMES
    said = [
        f"{names.get(a, a)} was not sent: {names.get(b, b)} stood in for it" for a, b in outline.substituted.items()
    ]
    if outline.missing:
        missing = ", ".join(names.get(name, name) for name in outline.missing)
        said.append(f"Not sent, left empty for the outline: {missing}")
    return said


def _timings(analysis: FinishedAnalysis) -> list[Row]:
    spans = analysis.timings_ms
    named = (
        ("decode", spans.decode),
        ("view", spans.view),
        ("tumor type", spans.tumor),
        ("clinical data", spans.clinical),
        ("outline", spans.segmentation),
        ("in all", spans.total),
    )
    return [Row(name, duration(value)) for name, value in named if value is not None]
