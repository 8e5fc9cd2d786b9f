"""A contender: what a quick start gives. Synchronous FastAPI services, PIL, tensors as JSON numbers between them.

Three processes from this one file, chosen by BENCH_ROLE: gateway, classifier, segmenter.
"""

import io
import os
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI, UploadFile
from PIL import Image

from tests.bench.work import Engine

app = FastAPI()
ROLE = os.environ["BENCH_ROLE"]
engine = Engine(Path(os.environ["BENCH_MODELS"]), tuned=False)

if ROLE == "gateway":
    services = httpx.Client(timeout=60)
    classifier, segmenter = os.environ["BENCH_CLASSIFIER"], os.environ["BENCH_SEGMENTER"]

    def tensor(picture: Image.Image, name: str) -> list[Any]:
        """The picture on the model's grid, as nested lists."""
        size = engine.size(name)
        return np.asarray(picture.resize((size, size))).tolist()  # type: ignore[no-any-return]

    @app.post("/predict")
    def predict(file: UploadFile, *, segment: bool = False) -> dict[str, Any]:
        """Decode, then ask one service after the other."""
        picture = Image.open(io.BytesIO(file.file.read())).convert("L")
        view = services.post(f"{classifier}/view", json={"image": tensor(picture, "view")}).json()
        body = {"image": tensor(picture, "tumor"), "features": view["features"]}
        answer = {"view": view["logits"], "tumor": services.post(f"{classifier}/tumor", json=body).json()["logits"]}
        if segment:
            mask = services.post(f"{segmenter}/segment", json={"image": tensor(picture, "seg-t1")}).json()
            answer["area_px"] = int((np.asarray(mask["probabilities"]) > 0.5).sum())
        return answer


def _grid(body: dict[str, Any]) -> np.ndarray:
    return np.asarray(body["image"], np.uint8)[None, None]


if ROLE == "classifier":

    @app.post("/view")
    def view(body: dict[str, Any]) -> dict[str, Any]:
        """The plane."""
        return {name: array.tolist() for name, array in engine.run("view", image=_grid(body)).items()}

    @app.post("/tumor")
    def tumor(body: dict[str, Any]) -> dict[str, Any]:
        """The type."""
        features = np.asarray(body["features"], np.float32)
        outputs = engine.run("tumor", image=_grid(body), view_features=features)
        return {name: array.tolist() for name, array in outputs.items()}


if ROLE == "segmenter":

    @app.post("/segment")
    def segment(body: dict[str, Any]) -> dict[str, Any]:
        """The outline."""
        return {name: array.tolist() for name, array in engine.run("seg-t1", image=_grid(body)).items()}
