"""The model repository on disk: `<models_dir>/<name>/{manifest.json, card.json, config.pbtxt, 1/model.onnx}`."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from service_kit.contracts.common import StageName
from service_kit.errors import ModelInvalid, NotFound
from service_kit.inference.manifest import ModelManifest, sha256_of


class ModelRepository:
    """The published models. Manifests are read, and the model files hashed, once.

    Raises:
        ModelInvalid: from any method, when `models_dir` is no folder or a manifest in it is wrong.
    """

    def __init__(self, models_dir: Path) -> None:
        self.models_dir = models_dir

    def names(self) -> tuple[str, ...]:
        """Every model's name, sorted."""
        return tuple(self._manifests)

    def manifest(self, name: str) -> ModelManifest:
        """What a model says of itself.

        Raises:
            NotFound: no model has this name.
        """
        manifest = self._manifests.get(name)
        if manifest is None:
            raise NotFound(f"no such model; published: {', '.join(self._manifests) or 'none'}")
        return manifest

    def model_path(self, name: str) -> Path:
        """The model file.

        Raises:
            NotFound: no model has this name.
        """
        return self.models_dir / name / self.manifest(name).file

    def verify(self, name: str) -> None:
        """Compare the model file with the manifest once more: it may have been replaced since that was read.

        Raises:
            NotFound: no model has this name.
            ModelInvalid: the file is gone, or another one.
        """
        manifest, path = self.manifest(name), self.model_path(name)
        if not path.is_file() or sha256_of(path) != manifest.sha256:
            raise ModelInvalid(f"{path} was replaced or removed: restart the service to read the repository anew")

    def card(self, name: str) -> dict[str, Any]:
        """The model card, for people and for programs.

        Raises:
            NotFound: no model has this name, or it has no card.
        """
        self.manifest(name)
        path = self.models_dir / name / "card.json"
        try:
            card = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise NotFound("this model has no card") from error
        except ValueError as error:
            raise ModelInvalid(f"{path}: not JSON") from error
        if not isinstance(card, dict):
            raise ModelInvalid(f"{path}: must be a JSON object")
        return card

    def by_stage(self, stage: StageName, *, volumes: bool = False) -> tuple[ModelManifest, ...]:
        """The models of one stage that read slices (with `volumes`: those that read volumes), sorted by name."""
        found = (manifest for manifest in self._manifests.values() if manifest.stage == stage)
        return tuple(manifest for manifest in found if (manifest.volume is not None) == volumes)

    @cached_property
    def _manifests(self) -> dict[str, ModelManifest]:
        if not self.models_dir.is_dir():
            raise ModelInvalid(f"{self.models_dir}: no such folder; it must hold <name>/manifest.json")
        manifests = {}
        for path in sorted(self.models_dir.glob("*/manifest.json")):
            folder = path.parent
            manifest = ModelManifest.load(folder)
            if manifest.name != folder.name:
                raise ModelInvalid(f"{path}: the name is {manifest.name}, but the folder's is {folder.name}")
            manifests[manifest.name] = manifest
        for manifest in manifests.values():
            _check_variant(manifest, manifests)
        return manifests


def _check_variant(manifest: ModelManifest, published: Mapping[str, ModelManifest]) -> None:
    """A variant answers the question of its original, where that one is published beside it."""
    original = published.get(manifest.variant_of or "")
    if original and (original.stage, original.labels) != (manifest.stage, manifest.labels):
        raise ModelInvalid(f"{manifest.name}: a variant of {original.name} must have its stage and its labels")
