"""`model-export novelty`: how well the gate at the door tells brain slices from other pictures."""

# ruff: noqa: PLC0415 - torch is loaded when the command runs, not by --help

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def novelty(
    data: Annotated[Path, typer.Option("--data", help="folder of the development sets", exists=True, file_okay=False)],
    cache: Annotated[Path, typer.Option(help="pictures and checkpoints")] = Path(".cache/model-export"),
    models: Annotated[Path, typer.Option(help="the model repository")] = Path("models"),
    out: Annotated[Path, typer.Option(help="where novelty.json, .md and .svg go")] = Path("docs/evaluation"),
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
) -> None:
    """Leave out one source and a third of the kinds at a time; judge the trained and the ImageNet features."""
    import torch

    from model_export.architectures.view import ViewNetwork
    from model_export.evaluation.beside_parts import keep
    from model_export.evaluation.novelty import evaluate_novelty, imagenet_network
    from model_export.evaluation.novelty_page import novelty_chart, novelty_page
    from model_export.novelty_publishing import time_novelty
    from model_export.repository import fold_of
    from model_export.training.loop import load_checkpoint
    from model_export.training.run import checkpoint_path
    from service_kit.inference.manifest import ModelManifest

    console = Console()
    torch.set_num_threads(threads)
    published = ModelManifest.load(models / "view")
    fold = fold_of(published)
    network = ViewNetwork()
    network.load_state_dict(load_checkpoint(checkpoint_path(cache, "view", fold))[0])
    trained = "trained on every source" if fold.index is None else f"trained on every source, {fold.label}"
    networks = {
        "view": (trained, network),
        "imagenet": ("photos alone, frozen: no brain slice was ever seen", imagenet_network(data)),
    }
    result = evaluate_novelty(data, cache, networks, console.print)
    if published.novelty is not None:
        result = result.model_copy(update={"timing": time_novelty(models / "view" / "1" / "model.onnx")})
    keep(cache, "novelty", result)
    out.mkdir(parents=True, exist_ok=True)
    (out / "novelty.json").write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (out / "novelty.md").write_text(novelty_page(result), encoding="utf-8")
    (out / "novelty.svg").write_text(novelty_chart(result), encoding="utf-8")
    console.print(f"novelty.json, novelty.md and novelty.svg are in {out}")
