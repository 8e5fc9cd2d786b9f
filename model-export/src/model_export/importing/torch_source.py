"""PyTorch networks: a TorchScript file, a `torch.export` program, or a factory with a state dictionary."""

import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from model_export.importing.faults import ImportFault
from model_export.importing.request import SourceFiles
from model_export.importing.source import SourceNetwork, digests, first_line, present

_NO_PICKLE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def load_torch(files: SourceFiles, channels: int, features_length: int | None = None) -> SourceNetwork:
    """The network of `files.model` (`.pt`: TorchScript, `.pt2`: torch.export), or `files.factory` with its weights.

    A pickled module is refused: unpickling runs whatever code the file holds. The `factory` (`module:function`) is
    code of yours, which is imported and called without arguments.

    Raises:
        ImportFault: a file is missing, corrupt, a pickled module, or does not fit the factory's network.
    """
    if files.model is not None:
        path = present(files.model, "give a TorchScript or torch.export file")
        scripted = path.suffix != ".pt2"
        module = _scripted(path) if scripted else _exported(path)
        found = digests(path)
    elif files.factory is not None:
        if files.weights is None:
            raise ImportFault("--factory needs --weights: torch.save(network.state_dict(), FILE)")
        path, scripted = present(files.weights, "write it by torch.save(network.state_dict(), FILE)"), False
        module, found = _made(files.factory, path), digests(path)
    else:
        raise ImportFault("give --model (TorchScript .pt, torch.export .pt2), or --factory with --weights")
    return SourceNetwork(
        module=module,
        framework=f"PyTorch {torch.__version__}",
        layout="NCHW",
        parameters=sum(p.numel() for p in module.parameters()),
        files=found,
        channels=channels,
        features_length=features_length,
        scripted=scripted,
    )


def _scripted(path: Path) -> nn.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TorchScript is deprecated; the files of others are still there
            module: nn.Module = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
            return module.eval()
    except Exception as error:  # the archive reader's errors share no base but Exception
        raise ImportFault(
            f"{path.name}: no TorchScript file, or corrupt: {first_line(error)}; write it by "
            "torch.jit.save(torch.jit.script(network), FILE), or by torch.export.save as .pt2; a pickled module is not "
            "opened, because unpickling runs code: give --factory and the state dictionary"
        ) from error


def _exported(path: Path) -> nn.Module:
    try:
        with _weights_alone(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.load(path).module()
    except Exception as error:  # as above
        raise ImportFault(
            f"{path.name}: no torch.export file of this PyTorch, or corrupt: {first_line(error)}; write it by "
            "torch.export.save(torch.export.export(network.eval(), (picture,), dynamic_shapes=...), FILE)"
        ) from error


@contextmanager
def _weights_alone() -> Iterator[None]:
    """torch.export falls back to full unpickling where a file asks for it: not here."""
    before = os.environ.get(_NO_PICKLE)
    os.environ[_NO_PICKLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_NO_PICKLE]
        else:
            os.environ[_NO_PICKLE] = before


def _made(factory: str, weights: Path) -> nn.Module:
    place, _, name = factory.partition(":")
    if not name:
        raise ImportFault(f"{factory}: write module:function, such as our_networks:build")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        network = getattr(importlib.import_module(place), name)()
    except Exception as error:  # any error of the factory's own code
        raise ImportFault(f"{factory}: cannot be called: {type(error).__name__}: {first_line(error)}") from error
    finally:
        sys.path.remove(here)
    if not isinstance(network, nn.Module):
        raise ImportFault(f"{factory}: gave a {type(network).__name__}, not a torch.nn.Module")
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler's and the archive reader's errors
        raise ImportFault(
            f"{weights.name}: no state dictionary, or corrupt; write it by torch.save(network.state_dict(), FILE)"
        ) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict):
        raise ImportFault(f"{weights.name}: holds a {type(state).__name__}, not a state dictionary")
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[:3]]
        raise ImportFault(f"{weights.name}: does not fit {factory}: {' '.join(lines)}") from error
    return network.eval()
