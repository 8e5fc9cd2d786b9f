"""`docs/models/<name>.md`: what a person should know before trusting a model, from its card and manifest."""

from collections.abc import Mapping, Sequence
from typing import Any

from model_export.card import ModelCard
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.display import file_size, markdown_table, shown
from service_kit.inference.manifest import ModelManifest

_GENERATED = "<!-- Written by `model-export cards` from models/{name}/card.json and manifest.json. Do not edit. -->\n\n"


def model_page(manifest: ModelManifest, card: ModelCard | None) -> str:
    """The page of one model; without a card (somebody's own model) what the manifest says."""
    text = _GENERATED.format(name=manifest.name) + f"# {manifest.name}: {manifest.title}\n\n"
    if card is None:
        text += "This model came without a card: nothing is known of its training and its figures.\n\n"
    else:
        text += f"**{card.notice}**\n\n{card.intended_use}\n\n"
    text += _facts(manifest, card)
    if card is not None:
        text += _figures(card.metrics) + _leaky(card.leaky)
    text += _calibration(manifest)
    if card is not None:
        text += _list("Limits", card.limits) + _training(card) + _verification(card)
        text += _list("Licences", card.licences)
        text += "## Made again by\n\n" + "".join(f"    {line}\n" for line in card.reproduce) + "\n"
    return text.rstrip() + "\n"


def _facts(manifest: ModelManifest, card: ModelCard | None) -> str:
    rows: list[tuple[str, str]] = [
        ("stage", manifest.stage),
        ("architecture", manifest.architecture),
        ("precision", manifest.precision),
    ]
    if manifest.variant_of:
        rows.append(("variant of", f"[{manifest.variant_of}]({manifest.variant_of}.md)"))
    if manifest.labels:
        rows.append(("labels", ", ".join(manifest.labels)))
    rows += [("input", _tensor(spec.name, spec.dtype, spec.shape)) for spec in manifest.inputs]
    rows += [("output", _tensor(spec.name, spec.dtype, spec.shape)) for spec in manifest.outputs]
    if manifest.preprocessing:
        rows.append(("picture", f"gray, cropped to the head, {manifest.preprocessing.size} px"))
    if card:
        rows += [("parameters", f"{card.parameters:,}"), ("file", file_size(card.file_bytes))]
    rows += [("version", manifest.version), ("sha256", f"`{manifest.sha256}`")]
    return markdown_table(("", ""), rows) + "\n"


def _tensor(name: str, dtype: str, shape: Sequence[int]) -> str:
    sizes = ", ".join("N" if size < 0 else str(size) for size in shape)
    return f"`{name}` {dtype} [{sizes}]"


def _figures(metrics: Mapping[str, Any]) -> str:
    """Summary and tables as `evaluate` writes them; figures of another form are listed by name."""
    if not metrics:
        return "## Figures\n\nNot judged yet: `model-export evaluate` writes them here.\n\n"
    text = "## Figures\n\n"
    if "summary" not in metrics:
        return text + markdown_table(("figure", "value"), _flat(metrics)) + "\n"
    text += markdown_table(("figure", "value (95 % interval)", "slices", "groups"), _summary(metrics["summary"])) + "\n"
    for title, rows in metrics.get("tables", {}).items():
        if rows:
            columns = list(rows[0])
            cells = [[row.get(column) for column in columns] for row in rows]
            names = [title.removeprefix("by "), *columns[1:]]
            text += f"### {title[0].upper()}{title[1:]}\n\n" + markdown_table(names, cells) + "\n"
    return text + "".join(f"{note}\n\n" for note in metrics.get("notes", ()))


def _summary(figures: Mapping[str, Any]) -> list[tuple[str, str, int | None, int | None]]:
    rows: list[tuple[str, str, int | None, int | None]] = []
    for name, figure in figures.items():
        if isinstance(figure, Mapping):
            estimate = Estimate.model_validate(figure)
            rows.append((name, shown(estimate), estimate.slices, estimate.groups))
        else:
            rows.append((name, shown(figure), None, None))
    return rows


def _flat(figures: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Nested figures as rows; lists are left to the card."""
    rows: list[tuple[str, str]] = []
    for name, figure in figures.items():
        label = f"{before}{name}"
        if isinstance(figure, Mapping) and {"value", "low", "high"} <= set(figure):
            rows.append((label, shown(Estimate.model_validate({"slices": 0, "groups": 0, **figure}))))
        elif isinstance(figure, Mapping):
            rows += _flat(figure, f"{label}, ")
        elif isinstance(figure, str | int | float):
            rows.append((label, shown(figure)))
    return rows


def _leaky(leaky: Mapping[str, Any] | None) -> str:
    if not leaky:
        return ""
    return (
        "### The same recipe with a careless split\n\nSlices of one patient on both sides: what would be claimed, and "
        "no hospital would see.\n\n"
        + markdown_table(("figure", "leaky (95 % interval)", "slices", "groups"), _summary(leaky))
        + "\n"
    )


def _calibration(manifest: ModelManifest) -> str:
    text = ""
    if calibration := manifest.calibration:
        text += (
            f"## Calibration\n\nLogits are divided by {calibration.temperature:.3f}. A label belongs to the prediction "
            f"set (nominal coverage {calibration.coverage:.0%}, class by class) when its probability reaches:\n\n"
            + markdown_table(("label", "threshold"), list(calibration.thresholds.items()))
            + "\n"
        )
    if rule := manifest.postprocessing:
        text += (
            f"## Mask\n\nProbability of at least {rule.threshold:g}; parts under {rule.min_component_px} px (on the "
            "model's grid) are dropped.\n\n"
        )
    if band := manifest.band:
        text += (
            f"## Intervals\n\nWith a nominal coverage of {band.coverage:.0%}, the volume lies within plus or minus "
            f"{band.volume_mm:.2f} mm times the outline's surface, a diameter within plus or minus "
            f"{band.diameter_mm:.1f} mm ([how](../volumes.md#intervals)). Fitted on {band.fitted_on}.\n\n"
        )
    if novelty := manifest.novelty:
        text += (
            f"## Novelty\n\nThe output `{novelty.output}` says how unlike the training slices a picture is: above "
            f"{novelty.review_above:.4g} a person must look, above {novelty.refuse_above:.4g} nothing is answered. "
            f"Fitted on {novelty.fitted_on}.\n\n"
        )
    return text


def _training(card: ModelCard) -> str:
    text = f"## Training\n\n{card.training_sets}. {card.protocol}\n\n"
    groups = ", ".join(f"{count} {part}" for part, count in card.groups.items() if count)
    facts = [f"groups: {groups}"] if groups else []
    facts.append(f"seed {card.seed}")
    if card.history:
        facts.append(f"{len(card.history)} epochs, last loss {shown(card.history[-1]['loss'])}")
    settings = [f"{name} {value}" for name, value in card.config.items() if isinstance(value, str | int | float)]
    text += "; ".join(facts).capitalize() + ".\n\n"
    return text + (f"Settings: {', '.join(settings)}.\n\n" if settings else "")


def _verification(card: ModelCard) -> str:
    found = card.verification
    text = (
        "## Verification\n\nThe ONNX file against the network it was exported from, batches of "
        f"{' and '.join(str(size) for size in found.batches)}: largest difference of a probability "
        f"{found.max_probability_difference:.1e}, of any output {found.max_output_difference:.1e}"
    )
    if found.mask_dice is not None:
        text += f", Dice of the masks {found.mask_dice:.5f}"
    return text + f"; {'passed' if found.passed else '**not passed**'}.\n\n"


def _list(title: str, items: Sequence[str]) -> str:
    return f"## {title}\n\n" + "".join(f"- {item}\n" for item in items) + "\n" if items else ""
