"""`model-export quantize`: 8-bit variants, gated on what they lose and save."""

# ruff: noqa: PLC0415 - onnxruntime and the sets are loaded when the command runs, not by --help

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

DEFAULTS = ("view", "tumor", "seg-t1", "seg-flair-film")


def quantize(
    names: Annotated[list[str], typer.Argument(help="published fp32 models, or `all`: the default networks")],
    data: Annotated[Path, typer.Option(help="folder of the development sets", exists=True, file_okay=False)],
    cache: Annotated[Path, typer.Option(help="pictures and the folds' networks")] = Path(".cache/model-export"),
    models: Annotated[Path, typer.Option(help="the model repository")] = Path("models"),
    docs: Annotated[Path, typer.Option(help="where speed.md and evaluation/variants.json go")] = Path("docs"),
    openvino: Annotated[
        Path | None, typer.Option(help="a Python with onnxruntime-openvino, to time that beside", dir_okay=False)
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="measure once more what was measured")] = False,
) -> None:
    """Quantize to int8 and publish `<name>-int8` where it loses nothing that counts and pays."""
    from model_export.quantization.page import speed_page
    from model_export.quantization.publishing import publish_variant
    from model_export.quantization.result import VariantResults
    from model_export.quantization.variant import Places, is_current, make_variant

    console = Console()
    places, path = Places(data, cache, models, openvino), docs / "evaluation" / "variants.json"
    wanted = list(dict.fromkeys(single for name in names for single in (DEFAULTS if name == "all" else (name,))))
    table = Table("variant", "fp32", "int8", "loss", "CPU ratio", "published")
    for name in wanted:
        known = VariantResults.load(path).find(name)
        if known is None or again or not is_current(known, places):
            known = make_variant(name, places, console.print)
            VariantResults.load(path).with_result(known).dump(path)
        else:
            console.print(f"{name}: measured before")
        publish_variant(known, places)
        judged = known.held_out
        figures = (f"{judged.fp32:.4f}", f"{judged.variant:.4f}", f"{judged.loss.value:+.4f}", f"{known.ratio:.2f}")
        table.add_row(known.name, *figures, "yes" if known.is_published else "; ".join(known.reasons))
    (docs / "speed.md").write_text(speed_page(VariantResults.load(path)), encoding="utf-8")
    console.print(table)
