"""A variant that passed becomes a model folder beside its source's; one that did not leaves none behind."""

import shutil
from pathlib import Path
from typing import Any

from model_export.card import ModelCard
from model_export.catalog import CATALOG
from model_export.export.triton_config import triton_config
from model_export.parity import Parity
from model_export.quantization.result import VariantResult
from model_export.quantization.variant import Places, variant_file
from service_kit.inference.manifest import ModelManifest

_MAX_BATCH = 16


def publish_variant(result: VariantResult, places: Places) -> Path | None:
    """Write `models/<name>-int8`, or remove what an earlier run left there. Returns the folder, None where refused.

    Raises:
        ModelInvalid: the source is not published any more.
        FileNotFoundError: the quantized file is not in the cache, or the source has no card.
    """
    folder = places.models / result.name
    if not result.is_published:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    source = ModelManifest.load(places.models / result.variant_of)
    content = variant_file(places, source, result.recipe).read_bytes()
    manifest = source.model_copy(
        update={
            "name": result.name,
            "title": f"{source.title} (8-bit)",
            "architecture": f"{source.architecture}; static int8",
            "precision": result.precision,
            "variant_of": source.name,
            "sha256": result.sha256,
        }
    )
    path = folder / manifest.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    manifest.dump(folder)
    entry = CATALOG.get(source.name)
    text = triton_config(result.name, manifest.inputs, manifest.outputs, entry.max_batch if entry else _MAX_BATCH)
    (folder / "config.pbtxt").write_text(text, encoding="utf-8")
    _card(result, manifest, ModelCard.load(places.models / source.name)).dump(folder)
    return folder


def _card(result: VariantResult, manifest: ModelManifest, source: ModelCard) -> ModelCard:
    """The source's card with what the variant is, loses and saves; the source's figures are not the variant's."""
    judged = result.published
    parity = Parity(
        batches=(1,),
        max_probability_difference=judged.max_probability_difference,
        max_output_difference=result.races.timings[-1].difference,
        mask_dice=judged.agreement if judged.metric == "dice" else None,
        passed=True,
    )
    return source.model_copy(
        update={
            "name": result.name,
            "title": manifest.title,
            "architecture": manifest.architecture,
            "file_bytes": result.bytes_variant,
            "sha256": result.sha256,
            "protocol": _protocol(result),
            "history": (),
            "leaky": None,
            "metrics": _metrics(result),
            "limits": (
                *source.limits,
                "Another processor may round 8-bit sums differently: answers near a limit may differ from the fp32 "
                "model's and from those measured here.",
                "Temperature, thresholds and cuts are the fp32 model's: they were not fitted again.",
            ),
            "verification": parity,
            "reproduce": (*source.reproduce, f"model-export quantize {source.name} --data ../shared/data"),
        }
    )


def _metrics(result: VariantResult) -> dict[str, Any]:
    """As the evaluation writes them, and the whole result beside."""
    judged, first, last = result.held_out, result.races.timings[0], result.races.timings[-1]
    name = judged.metric if judged.metric == "accuracy" else "mean Dice"
    loss = {
        key: round(value, 5) if isinstance(value, float) else value for key, value in judged.loss.model_dump().items()
    }
    summary = {
        f"{name} of fp32": round(judged.fp32, 5),
        f"{name} of {result.precision}": round(judged.variant, 5),
        f"{name} lost": loss,
        "alike": round(judged.agreement, 5),
        "CPU time of fp32 by that of the variant": round(last.ratio, 3),
        "CPU ms": round(last.cpu_ms, 2),
        "CPU ms of fp32": round(first.cpu_ms, 2),
    }
    rows = [{"label": label, "fp32": fp32, "variant": variant} for label, (fp32, variant) in judged.others.items()]
    notes = [f"Timed on {result.races.cpu} with onnxruntime {result.races.onnxruntime}."]
    tables = {"Beside": rows} if rows else {}
    return {"summary": summary, "tables": tables, "notes": notes, "variant": result.model_dump(mode="json")}


def _protocol(result: VariantResult) -> str:
    return (
        f"Weights of {result.variant_of}, quantized on {result.calibration_pictures} pictures of "
        f"{result.calibration_groups} training groups. The loss was measured on the first fold's network, quantized by "
        "the same recipe on the same pictures, over that fold's test groups, which neither trained nor calibrated it. "
        "CPU time is that of one thread and one picture, fp32 and int8 in turn in one run."
    )
