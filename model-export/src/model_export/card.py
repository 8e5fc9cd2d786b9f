"""The model card: what a person or a program should know before trusting a model. `models/<name>/card.json`."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from model_export.parity import Parity


class ModelCard(BaseModel):
    """Filled in by `publish` (all but the figures) and `evaluate` (the figures)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    title: str
    intended_use: str
    notice: str
    architecture: str
    parameters: int
    file_bytes: int
    sha256: str
    training_sets: str
    licences: tuple[str, ...]
    training_counts: dict[str, int]
    groups: dict[str, int]
    protocol: str
    config: dict[str, Any]
    seed: int
    history: tuple[dict[str, float], ...] = ()
    metrics: dict[str, Any] = {}
    leaky: dict[str, Any] | None = None
    limits: tuple[str, ...]
    verification: Parity
    reproduce: tuple[str, ...]

    def dump(self, folder: Path) -> None:
        """Write `folder/card.json`."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (folder / "card.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ModelCard":
        """Read `folder/card.json`. Raises `FileNotFoundError` where the model was not published yet."""
        return cls.model_validate_json((folder / "card.json").read_bytes())
