"""A network as its framework loads it, with what it says of itself."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_export.importing.faults import ImportFault
from model_export.importing.request import Ending
from service_kit.inference.manifest import sha256_of

Layout = Literal["NCHW", "NHWC"]


@dataclass(frozen=True)
class SourceNetwork:
    """`module` reads a float picture in `layout` (and the view features where `reads_features`), gives its outputs.

    What a framework does not tell is None: the `size` in px and the `channels` of the picture, the `ending`.
    `files` are the files' names with their sha256.
    """

    module: nn.Module
    framework: str
    layout: Layout
    parameters: int
    files: dict[str, str] = field(default_factory=dict)
    size: int | None = None
    channels: int | None = None
    ending: Ending | None = None
    features_length: int | None = None
    scripted: bool = False

    @property
    def reads_features(self) -> bool:
        """Whether the network has a second input, the features of a view model."""
        return self.features_length is not None

    def answer(self, *inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """The network's own answer to prepared pictures, outside of any graph of ours.

        Raises:
            ImportFault: it cannot run on them, or answers with something other than tensors.
        """
        try:
            with torch.no_grad():
                found = self.module(*(torch.from_numpy(array) for array in inputs))
        except Exception as error:  # any error of the network's own code
            shapes = " and ".join(str(list(array.shape)) for array in inputs)
            raise ImportFault(
                f"the network cannot run on a picture {shapes} ({self.layout}): {first_line(error)}; "
                "check --size and --channels"
            ) from error
        outputs = tuple(found) if isinstance(found, list | tuple) else (found,)
        if not outputs or not all(isinstance(value, Tensor) for value in outputs):
            raise ImportFault("the network must answer with a tensor, or a tuple of tensors")
        return tuple(np.asarray(value.detach().cpu().numpy(), np.float32) for value in outputs)


def present(path: Path, what: str) -> Path:
    """`path`, which must be a file. Raises `ImportFault` where it is not."""
    if not path.is_file():
        raise ImportFault(f"{path.name}: no such file; {what}")
    return path


def digests(*paths: Path) -> dict[str, str]:
    """Name and sha256 of each file."""
    return {path.name: sha256_of(path) for path in paths}


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
