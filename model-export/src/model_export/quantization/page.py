"""docs/speed.md, written from the results."""

from collections.abc import Sequence

from model_export.quantization.judgement import Judgement
from model_export.quantization.result import LEAST_RATIO, VariantResult, VariantResults

_HEAD = """# Speed variants

Written by `model-export quantize`; do not edit. The figures behind it: [variants.json](evaluation/variants.json).

A variant is a model of the repository like any other: `options.models.tumor = "tumor-int8"` picks it for one request,
and the answer's `models[].precision` says what ran. No stage's default is a variant.

Static 8-bit quantization (QDQ): weights a scale for each channel, activations a scale a tensor with ranges from
pictures of the training side. Pooling, heads, softmax, sigmoid, FiLM and the novelty score stay fp32. A variant is
published if, on slices of groups that neither trained nor calibrated it, it loses at most {accuracy} points of accuracy
or {dice} of Dice against the same network in fp32, and if fp32 takes at least {ratio} times its CPU time. The loss is
that of the first fold's network; the published weights, quantized by the same recipe, must not lose more on the same
slices either.
"""
_CPU = """## On another processor

The ratio holds for {cpu}.
Without an instruction for 8-bit products (VNNI or the like) it is smaller, and an x86 processor without VNNI would also
overflow: where the services find one, they tell onnxruntime to avoid it (`session.x64quantprecision`), at the price of
speed. onnxruntime rewrites a quantized graph for the processor that it finds, so answers near a limit may differ a
little from one kind of processor to another; the fp32 models are the reference.
"""
_OPENVINO = """## OpenVINO

`onnxruntime-openvino` (MIT) replaces `onnxruntime`: the two install the same module and cannot lie side by side, so it
is no extra of service-kit. To use it, install it in place of `onnxruntime` and set `..._INFERENCE__PROVIDER` to
`OpenVINOExecutionProvider`, or let a manifest's `provider` name it. Where it is not installed the CPU provider answers,
the result's `provider` says so, and with `require_provider` the model is not ready. The services make it compute in
f32: left alone it may take bf16, and onnxruntime cannot be asked which it took. What ran shows in the difference to the
CPU provider, relative to the largest output.
"""
_NO_OPENVINO = "It was not timed in the last run; `--openvino PYTHON` names an environment that has it.\n"


def speed_page(results: VariantResults) -> str:
    """The page's text. Raises `ValueError` where nothing was measured."""
    if not results.variants:
        raise ValueError("no variant was measured")
    limits = {each.held_out.metric: each.held_out.limit for each in results.variants}
    head = _HEAD.format(accuracy=100 * limits.get("accuracy", 0.005), dice=limits.get("dice", 0.005), ratio=LEAST_RATIO)
    parts = [head, "## What is published\n", _variants(results), "## Loss\n", _losses(results)]
    parts += [_details(each) for each in results.variants if not each.is_published]
    parts.append(_CPU.format(cpu=results.variants[0].races.cpu))
    parts.append(_OPENVINO)
    timed = [each for each in results.variants if each.openvino is not None]
    parts.append(_openvino(timed) if timed else _NO_OPENVINO)
    return "\n".join(parts)


def _variants(results: VariantResults) -> str:
    rows = []
    for each in results.variants:
        first, last = each.races.timings[0], each.races.timings[-1]
        rows.append(
            (
                f"`{each.name}`",
                "yes" if each.is_published else "no",
                f"{first.cpu_ms:.1f}",
                f"{last.cpu_ms:.1f}",
                f"{last.ratio:.2f} ({last.low:.2f} to {last.high:.2f})",
                f"{each.bytes_fp32 / 1e6:.1f}",
                f"{each.bytes_variant / 1e6:.1f}",
            )
        )
    titles = ("variant", "published", "fp32, CPU ms", "int8, CPU ms", "ratio (quartiles)", "fp32, MB", "int8, MB")
    run = results.variants[0].races
    note = (
        f"One picture, one thread, the two in turn for {run.timings[0].rounds} rounds; onnxruntime "
        f"{run.onnxruntime} on {run.cpu}. Read the ratio: milliseconds depend on what else the machine does.\n"
    )
    return _table(titles, rows) + "\n" + note


def _losses(results: VariantResults) -> str:
    rows = []
    for each in results.variants:
        judged = [("held-out network", each.held_out), ("published weights", each.published)]
        if each.features is not None:
            judged.append(("tumor model on its features", each.features))
        rows += [(f"`{each.name}`", on, *_judged(judgement)) for on, judgement in judged]
    titles = ("variant", "judged", "figure", "fp32", "int8", "loss (95 %)", "slices or patients", "alike")
    note = "*Alike* is the share of slices with the same answer, or the mean Dice between the two masks."
    kind = [f"`{each.variant_of}`" for each in results.variants if each.published_saw_test]
    if kind:
        note += (
            f" The published weights of {', '.join(kind)} were trained on these slices too: their two figures are "
            "kind, only the loss counts."
        )
    note += "\n"
    return _table(titles, rows) + "\n" + note


def _judged(judgement: Judgement) -> tuple[str, ...]:
    loss = judgement.loss
    return (
        judgement.metric,
        f"{judgement.fp32:.4f}",
        f"{judgement.variant:.4f}",
        f"{loss.value:+.4f} ({loss.low:+.4f} to {loss.high:+.4f})",
        str(loss.slices),
        f"{judgement.agreement:.4f}",
    )


def _details(result: VariantResult) -> str:
    return f"`{result.name}` is not published: {'; '.join(result.reasons)}.\n"


def _openvino(results: Sequence[VariantResult]) -> str:
    rows = [
        (f"`{each.variant_of}`", race.label, f"{race.cpu_ms:.1f}", f"{race.ratio:.2f}", f"{race.difference:.0e}")
        for each in results
        for race in (each.openvino.timings if each.openvino else ())
    ]
    versions = ", ".join(sorted({each.openvino.onnxruntime for each in results if each.openvino}))
    note = f"onnxruntime-openvino {versions}, one picture, one thread; ratios to the CPU provider in the same run. "
    sizes = [(each.openvino.package_bytes, each.races.package_bytes) for each in results if each.openvino]
    note += f"The package unpacks to {sizes[0][0] / 1e6:.0f} MB, onnxruntime to {sizes[0][1] / 1e6:.0f} MB.\n"
    titles = ("model", "provider and precision", "CPU ms", "ratio", "difference")
    return _table(titles, rows) + "\n" + note + _openvino_verdict(results)


def _openvino_verdict(results: Sequence[VariantResult]) -> str:
    """Whether a model on OpenVINO is worth a folder of its own."""
    paying = [
        f"`{each.variant_of}` ({race.label})"
        for each in results
        for race in (each.openvino.timings if each.openvino else ())
        if race.provider.startswith("OpenVINO") and race.ratio >= LEAST_RATIO * max(1.0, each.ratio)
    ]
    if paying:
        return f"It beats both fp32 and int8 of the CPU provider by {LEAST_RATIO} or more on {', '.join(paying)}.\n"
    return (
        f"On no model does it beat the CPU provider's faster one of fp32 and int8 by {LEAST_RATIO} or more: no variant "
        "for it is published, and the images keep the smaller package.\n"
    )


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [" | ".join(titles), " | ".join("---" for _ in titles), *(" | ".join(row) for row in rows)]
    return "".join(f"| {line} |\n" for line in lines)
