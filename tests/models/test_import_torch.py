"""PyTorch networks in their three forms become models of the repository; pickled code is never run."""

import asyncio
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typer.testing import CliRunner

from model_export.card import ModelCard
from model_export.cli import app
from model_export.importing.contract import Shift, shift_of
from model_export.importing.request import ImportRequest
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.factory import ModelRepository
from service_kit.inference.onnx import OnnxBackend

pytestmark = pytest.mark.timeout(900)
SIZE = 32
LABELS = ",".join(TUMOR_LABELS)
# The group's own code, as it lies beside their weights.
THEIR_CODE = """
import torch
from torch import nn

calls = []


class Classifier(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(4))
        self.head = nn.Linear(6 * 16, classes)

    def forward(self, picture):
        return self.head(self.body(picture).flatten(1))


class Restless(Classifier):
    def forward(self, picture):
        calls.append(1)
        return super().forward(picture) * len(calls)


class WithFeatures(Classifier):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(6 * 16 + 5, 4)

    def forward(self, picture, features):
        return self.head(torch.cat([self.body(picture).flatten(1), features], dim=1))


class Detector(Classifier):
    def __init__(self):
        super().__init__(1)

    def forward(self, picture):
        return torch.sigmoid(super().forward(picture))


class Several(Classifier):
    def forward(self, picture):
        maps = self.body(picture)
        return self.head(maps.flatten(1)), maps, maps


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, picture):
        return self.body(picture)


def four():
    return 4
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the group's module, in which the command runs."""
    name = f"their_networks_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(THEIR_CODE)
    monkeypatch.chdir(tmp_path)
    return tmp_path / f"{name}.py"


def _network(theirs: Path, kind: str) -> nn.Module:
    scope: dict[str, type[nn.Module]] = {"__name__": theirs.stem}  # type: ignore[dict-item]
    exec(compile(THEIR_CODE, theirs.name, "exec"), scope)  # noqa: S102 - the text above
    torch.manual_seed(9)
    network = scope[kind]()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval()


def _saved(theirs: Path, kind: str) -> tuple[nn.Module, tuple[object, ...]]:
    network = _network(theirs, kind)
    torch.save(network.state_dict(), theirs.parent / "weights.pt")
    return network, ("--factory", f"{theirs.stem}:{kind}", "--weights", theirs.parent / "weights.pt")


def _run(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["import", "torch", *map(str, arguments)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def _tumor(folder: Path, **changes: object) -> list[object]:
    options = {
        "name": "theirs",
        "stage": "tumor",
        "labels": LABELS,
        "size": SIZE,
        "models": folder / "models",
        **changes,
    }
    return [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]


def _served(models: Path, arrays: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.float32]]:
    repository = ModelRepository(models)
    backend = OnnxBackend(repository.manifest("theirs"), repository.model_path("theirs"))

    async def ask_once() -> dict[str, NDArray[np.float32]]:
        try:
            return await backend.infer(arrays)
        finally:
            await backend.aclose()

    return asyncio.run(ask_once())


def _images(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(2).integers(0, 256, (count, 1, SIZE, SIZE), dtype=np.uint8)


def _own(network: nn.Module, images: NDArray[np.uint8]) -> Tensor:
    with torch.no_grad():
        found: Tensor = network(torch.from_numpy(images).float() / 255.0)
    return found


def _programs(network: nn.Module, folder: Path) -> dict[str, Path]:
    """The network as TorchScript and as a torch.export program."""
    picture = torch.rand(2, 1, SIZE, SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, torch.export prefers other options
        torch.jit.save(torch.jit.trace(network, picture), folder / "network.pt")
        batch = torch.export.Dim("batch", min=1, max=64)
        program = torch.export.export(network, (picture,), dynamic_shapes=({0: batch},))
        torch.export.save(program, folder / "network.pt2")
    return {"script": folder / "network.pt", "program": folder / "network.pt2"}


@pytest.mark.parametrize("form", ["factory", "script", "program"])
def test_a_classifier_answers_as_it_did_in_pytorch(form: str, theirs: Path) -> None:
    network, files = _saved(theirs, "Classifier")
    if form != "factory":
        files = ("--model", _programs(network, theirs.parent)[form])
    code, output = _run(*files, *_tumor(theirs.parent))
    assert code == 0, output
    images = _images(3)
    found = _served(theirs.parent / "models", {"image": images})["logits"]
    np.testing.assert_allclose(found, _own(network, images), atol=1e-4)
    assert "without an activation" in ModelCard.load(theirs.parent / "models" / "theirs").protocol


def test_one_sigmoid_becomes_two_logits(theirs: Path) -> None:
    network, files = _saved(theirs, "Detector")
    code, output = _run(*files, *_tumor(theirs.parent, labels="no_tumor,tumor"))
    assert code == 0, output
    images = _images(2)
    logits = torch.from_numpy(_served(theirs.parent / "models", {"image": images})["logits"])
    own = _own(network, images)
    torch.testing.assert_close(torch.softmax(logits, dim=1), torch.cat([1 - own, own], dim=1), atol=1e-5, rtol=1e-4)
    assert "one sigmoid" in ModelCard.load(theirs.parent / "models" / "theirs").protocol


def test_a_network_may_read_the_features_of_a_view_model(theirs: Path) -> None:
    network, files = _saved(theirs, "WithFeatures")
    options = _tumor(theirs.parent, features_length=5, features_of="their-view")
    code, output = _run(*files, *options)
    assert code == 0, output
    images, features = _images(2), np.random.default_rng(0).random((2, 5), np.float32)
    found = _served(theirs.parent / "models", {"image": images, "view_features": features})["logits"]
    with torch.no_grad():
        own = network(torch.from_numpy(images).float() / 255.0, torch.from_numpy(features))
    np.testing.assert_allclose(found, own, atol=1e-4)
    assert ModelRepository(theirs.parent / "models").manifest("theirs").view_model == "their-view"


def test_two_planes_of_a_segmenter_become_the_tumor_s_probability(theirs: Path) -> None:
    network, files = _saved(theirs, "Segmenter")
    options = _tumor(theirs.parent, stage="segmentation", labels="background,tumor", channels=3, scaling="imagenet")
    code, output = _run(*files, *options)
    assert code == 0, output
    images = _images(2)
    found = _served(theirs.parent / "models", {"image": images})["probabilities"]
    mean, spread = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        own = network((torch.from_numpy(images).repeat(1, 3, 1, 1) / 255.0 - mean) / spread).softmax(dim=1)[:, 1:]
    np.testing.assert_allclose(found, own, atol=1e-5)
    manifest = ModelRepository(theirs.parent / "models").manifest("theirs")
    assert (manifest.labels, manifest.sequences, manifest.fallback) == (("tumor",), ("t1ce",), {"t1ce": "t1"})


def test_a_network_that_never_answers_alike_is_not_published(theirs: Path) -> None:
    _, files = _saved(theirs, "Restless")
    code, output = _run(*files, *_tumor(theirs.parent))
    assert code == 1, output
    assert "differs from the network" in output
    assert not list((theirs.parent / "models").iterdir())


class _Payload:
    """What a hostile file holds: unpickling it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("name", ["weights.pt", "network.pt", "network.pt2"])
def test_pickled_code_is_never_run(name: str, theirs: Path) -> None:
    trap, path = theirs.parent / "trap", theirs.parent / name
    torch.save({"state": _Payload(trap)}, path)
    files = ("--factory", f"{theirs.stem}:Classifier", "--weights", path)
    if name != "weights.pt":
        files = ("--model", path)
    code, output = _run(*files, *_tumor(theirs.parent))
    assert code == 2, output
    assert path.name in output
    assert not trap.exists()


def test_a_program_of_one_batch_size_is_refused(theirs: Path) -> None:
    network = _network(theirs, "Classifier")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(network, (torch.rand(2, 1, SIZE, SIZE),)), theirs.parent / "fixed.pt2")
    code, output = _run("--model", theirs.parent / "fixed.pt2", *_tumor(theirs.parent))
    assert code == 2, output
    assert "cannot run on a picture" in output


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("Several", {}, "3 outputs"),
        ("four", {}, "not a torch.nn.Module"),
        ("Missing", {}, "cannot be called"),
        ("Classifier", {"labels": "no_tumor,tumor"}, "4 values, --labels names 2"),
        ("Classifier", {"ends_in": "sigmoid"}, "no distribution"),
        ("Classifier", {"channels": 3}, "cannot run on a picture"),
        ("Classifier", {"features_of": "view"}, "no second input"),
        ("Classifier", {"stage": "segmentation", "labels": "tumor"}, "one value a pixel"),
        ("Detector", {"labels": "no_tumor,tumor", "ends_in": "softmax"}, "softmax over one value"),
    ],
)
def test_what_does_not_fit_says_what_to_fix(kind: str, changes: dict[str, object], message: str, theirs: Path) -> None:
    _saved(theirs, kind if kind in {"Several", "Detector"} else "Classifier")
    files = ("--factory", f"{theirs.stem}:{kind}", "--weights", theirs.parent / "weights.pt")
    code, output = _run(*files, *_tumor(theirs.parent, **changes))
    assert code == 2, output
    assert message in output
    assert not list((theirs.parent / "models").glob("*/manifest.json"))


def test_weights_of_another_network_are_refused(theirs: Path) -> None:
    _saved(theirs, "Detector")
    files = ("--factory", f"{theirs.stem}:Classifier", "--weights", theirs.parent / "weights.pt")
    code, output = _run(*files, *_tumor(theirs.parent))
    assert code == 2
    assert "does not fit" in output
    assert "head.weight" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give --model"),
        (("--factory", "module"), "needs --weights"),
        (("--model", "absent.pt"), "no such file"),
    ],
)
def test_missing_files_are_named(arguments: tuple[str, ...], message: str, theirs: Path) -> None:
    code, output = _run(*arguments, *_tumor(theirs.parent))
    assert code == 2
    assert message in output


def test_scalings_are_what_their_names_say() -> None:
    def shift(scaling: str, channels: int) -> Shift:
        options = {"name": "a", "stage": "tumor", "labels": TUMOR_LABELS, "size": 32, "command": "import"}
        return shift_of(ImportRequest.model_validate({**options, "scaling": scaling, "channels": channels}))

    assert shift("0..1", 1) == Shift((0.0,), (255.0,))
    assert shift("-1..1", 1) == Shift((127.5,), (127.5,))
    assert shift("none", 3) == Shift((0.0,) * 3, (1.0,) * 3)
    assert shift("imagenet", 3).offset == pytest.approx((123.675, 116.28, 103.53))
    assert shift("imagenet", 1).divisor == pytest.approx((0.226 * 255,))
    assert shift("caffe", 3) == Shift((103.939, 116.779, 123.68), (1.0, 1.0, 1.0))
