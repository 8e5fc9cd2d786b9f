"""A contender: one Flask application that decodes with PIL and runs the models in the request, on its own server."""

import os
from pathlib import Path

import numpy as np
from flask import Flask, Response, jsonify, request
from PIL import Image

from tests.bench.work import Engine

app = Flask(__name__)
engine = Engine(Path(os.environ["BENCH_MODELS"]), tuned=False)


def _grid(picture: Image.Image, name: str) -> np.ndarray:
    size = engine.size(name)
    return np.asarray(picture.resize((size, size)), np.uint8)[None, None]


@app.post("/predict")
def predict() -> Response:
    """Decode, classify, and outline where it is asked for."""
    picture = Image.open(request.files["file"].stream).convert("L")
    view = engine.run("view", image=_grid(picture, "view"))
    tumor = engine.run("tumor", image=_grid(picture, "tumor"), view_features=view["features"])
    answer = {"view": view["logits"].tolist(), "tumor": tumor["logits"].tolist()}
    if request.args.get("segment") == "true":
        probabilities = engine.run("seg-t1", image=_grid(picture, "seg-t1"))["probabilities"]
        answer["mask"] = (probabilities[0, 0] > 0.5).astype(np.uint8).tolist()
    return jsonify(answer)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), threaded=True)
