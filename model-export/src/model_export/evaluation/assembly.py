"""Measures the parts one after another and keeps what was found; a missing part leaves the others as they are."""

import json
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from model_export.evaluation.protocol import COMMAND, PROTOCOL
from model_export.evaluation.sections import Part, PartMissing, Place, Section


class Results(BaseModel):
    """`results.json`: every part's result by key, and why a part is not there."""

    model_config = ConfigDict(frozen=True)

    protocol: str = PROTOCOL
    command: str = COMMAND
    parts: dict[str, dict[str, Any]] = {}
    missing: dict[str, str] = {}

    @classmethod
    def load(cls, path: Path) -> "Results":
        """What was kept at `path`; empty where there is nothing yet."""
        return cls.model_validate_json(path.read_bytes()) if path.exists() else cls()

    def dump(self, path: Path) -> None:
        """Write it, floats to six digits."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(_short(self.model_dump(mode="json")), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


def measure(parts: Sequence[Part[Any]], place: Place, kept: Results, only: Collection[str] = ()) -> Results:
    """Measure the parts named in `only` (all, where it is empty) and keep the others as they were.

    A part whose predictions are not made yet keeps its former result, if it had one, and is named in `missing`. Every
    result is in `place.found` as soon as it is there.
    """
    if unknown := set(only) - {part.key for part in parts}:
        known = ", ".join(part.key for part in parts)
        raise ValueError(f"no such part: {', '.join(sorted(unknown))}; there are {known}")
    found, missing = place.found, dict(kept.missing)
    found.update(kept.parts)
    for part in parts:
        if only and part.key not in only:
            continue
        started = time.monotonic()
        try:
            found[part.key] = part.measure(place).model_dump(mode="json")
        except (PartMissing, FileNotFoundError) as error:
            missing[part.key] = _without_paths(str(error), place)
            place.report(f"{part.key}: left out, {error}")
        else:
            missing.pop(part.key, None)
            place.report(f"{part.key}: {time.monotonic() - started:.0f} s")
    keys = [part.key for part in parts]
    return Results(
        parts={key: found[key] for key in keys if key in found},
        missing={key: note for key, note in missing.items() if key in keys},
    )


def sections(parts: Sequence[Part[Any]], results: Results) -> dict[str, Section]:
    """The chapter of each part that has a result, by key; a result of an older form is left out."""
    shown = {}
    for part in parts:
        if part.key in results.parts:
            try:
                shown[part.key] = part.shown(results.parts[part.key])
            except ValidationError as error:
                raise ValueError(
                    f"{part.key}: results.json has it in an older form; measure it again (--only {part.key})"
                ) from error
    return shown


def _without_paths(message: str, place: Place) -> str:
    """The message without folders of this machine."""
    for folder, name in ((place.cache, "CACHE"), (place.root, "DATA"), (place.models, "models")):
        message = message.replace(str(folder.resolve()), name).replace(str(folder), name)
    return message


def _short(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _short(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_short(value) for value in found]
    return float(f"{found:.6g}") if isinstance(found, float) else found
