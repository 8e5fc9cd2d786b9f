"""Made BraTS cases: a box of brain, a ball of tumor in it, in the container of `volumes/brats`."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SHAPE = (44, 40, 36)
SEQUENCES = ("t1", "t1ce", "t2", "flair")


def made_labels(center: tuple[int, int, int] = (22, 20, 18), radius: float = 9.0) -> NDArray[np.uint8]:
    """Edema around an enhancing shell around a necrotic core, `[x, y, z]`."""
    x, y, z = np.indices(SHAPE)
    distance = np.sqrt((x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2)
    labels = np.zeros(SHAPE, np.uint8)
    labels[distance < radius] = 2
    labels[distance < 0.7 * radius] = 3
    labels[distance < 0.4 * radius] = 1
    return labels


def made_sequences(labels: NDArray[np.uint8], seed: int = 0) -> dict[str, NDArray[np.uint8]]:
    """Four sequences in which the labels have the brightness that they have in life."""
    brain = np.zeros(SHAPE, np.bool_)
    brain[3:-3, 3:-3, 3:-3] = True
    random = np.random.default_rng(seed)
    looks = {"t1": (0, -30, -20, -10), "t1ce": (0, -30, -10, 80), "t2": (0, 60, 50, 30), "flair": (0, 20, 70, 50)}
    found = {}
    for name in SEQUENCES:
        values = 110 + np.array(looks[name])[labels] + random.normal(0, 6, SHAPE)
        found[name] = np.where(brain, values.clip(20, 255), 0).astype(np.uint8)
    return found


def write_brats(root: Path, names: Sequence[str], labels: NDArray[np.uint8] | None = None) -> None:
    """`volumes/brats` with one zip a case."""
    folder = root / "volumes" / "brats"
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        of_case = made_labels((18 + number % 3 * 4, 20, 18)) if labels is None else labels
        _write(folder / f"{name}.zip", made_sequences(of_case, number), of_case)


def _write(path: Path, sequences: dict[str, NDArray[np.uint8]], labels: NDArray[np.uint8]) -> None:
    case = {
        "sequences": list(SEQUENCES),
        "labels": {"1": "core", "2": "edema", "3": "enhancing"},
        "shape": list(SHAPE),
        "affine": np.eye(4).tolist(),
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("case.json", json.dumps(case))
        for z in range(SHAPE[2]):
            row = np.concatenate([sequences[name][:, :, z].T for name in SEQUENCES], axis=1)
            archive.writestr(f"z/{z:03d}.webp", _encoded(".png", row))
            if labels[:, :, z].any():
                archive.writestr(f"seg/{z:03d}.png", _encoded(".png", labels[:, :, z].T))


def _encoded(extension: str, picture: NDArray[np.uint8]) -> bytes:
    done, content = cv2.imencode(extension, np.ascontiguousarray(picture))
    assert done
    return content.tobytes()
