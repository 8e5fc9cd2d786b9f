"""From a loaded network to a folder of the model repository: graph, manifest, Triton configuration and card."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from model_export.card import ModelCard
from model_export.catalog import RESEARCH_ONLY
from model_export.datasets.split import GroupSplit
from model_export.engine import OnnxModel
from model_export.export.triton_config import triton_config
from model_export.importing.contract import ContractNetwork, check_outputs, find_ending
from model_export.importing.faults import ImportFault
from model_export.importing.graph import ask, check_parity, write_contract_graph
from model_export.importing.pictures import given_pictures, made_pictures
from model_export.importing.request import Ending, ImportRequest
from model_export.importing.source import SourceNetwork
from model_export.parity import Parity
from service_kit.inference.manifest import ModelManifest, Postprocessing, Training, sha256_of

_MADE = 11
_SEED = 20
_MAX_BATCH = 16
_LOGITS: dict[Ending, str] = {
    "softmax": "The network ends in a softmax: the logits are the logarithms of its probabilities.",
    "sigmoid": "The network ends in one sigmoid p: the logits are log(1 - p) and log(p).",
    "logits": "The network ends without an activation: its outputs are taken as logits.",
}
_MASKS: dict[Ending, str] = {
    "softmax": "The network ends in a softmax: the tumor's plane of it is the probability.",
    "sigmoid": "The network ends in a sigmoid: it is the probability.",
    "logits": "The network ends without an activation: a sigmoid or softmax was added.",
}


def import_network(
    source: SourceNetwork,
    request: ImportRequest,
    models: Path,
    *,
    pictures: Path | None = None,
    replace: bool = False,
    report: Callable[[str], None] = print,
) -> ModelManifest:
    """Write `models/<name>`, whole or not at all.

    Args:
        source: the loaded network.
        request: how it is named and used.
        models: the model repository.
        pictures: a folder of real slices to compare on, beside made ones.
        replace: whether a model of the same name may be there already.
        report: told what was found.

    Raises:
        ImportFault: the network does not fit the request or cannot be written as ONNX.
        ParityFault: the ONNX file does not compute what the network computes.
    """
    target = models / request.name
    if target.exists() and not replace:
        raise ImportFault(f"{request.name} is in the repository already; choose another --name, or say --replace")
    _check_picture(source, request)
    made, given = made_pictures(request, _MADE, _SEED), given_pictures(request, pictures)
    images = np.concatenate([made, given])
    asked = ask(source, request, images)
    check_outputs(asked.answers, source, request)
    ending = find_ending(source, request, asked.answers[0])
    models.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{request.name}-", dir=models) as scratch:
        folder = Path(scratch) / request.name
        path = folder / "1" / "model.onnx"
        path.parent.mkdir(parents=True)
        network = ContractNetwork(source, request, ending, features=len(asked.answers) == 2)
        write_contract_graph(network, source, request, path)
        parity = check_parity(path, source, request, ending, asked)
        manifest = _manifest(source, request, ending, path)
        manifest.dump(folder)
        text = triton_config(request.name, manifest.inputs, manifest.outputs, _MAX_BATCH)
        (folder / "config.pbtxt").write_text(text, encoding="utf-8")
        _card(source, manifest, request, ending, parity, folder, (len(made), len(given))).dump(folder)
        if target.exists():
            shutil.rmtree(target)
        folder.replace(target)
    report(f"{request.name}: {_words(request, ending)}")
    report(
        f"{request.name}: {len(images)} pictures ({len(given)} given), largest difference of a probability "
        f"{parity.max_probability_difference:.1e}; {(target / manifest.file).stat().st_size / 1e6:.1f} MB"
    )
    return manifest


def _check_picture(source: SourceNetwork, request: ImportRequest) -> None:
    if source.size is not None and source.size != request.size:
        raise ImportFault(f"the network reads pictures of {source.size} px: say --size {source.size}")
    if source.channels is not None and source.channels != request.channels:
        raise ImportFault(f"the network reads {source.channels} channels: say --channels {source.channels}")
    if source.reads_features and request.stage != "tumor":
        raise ImportFault(f"the network has a second input; a {request.stage} model reads a picture alone")
    if request.features_of and not source.reads_features:
        raise ImportFault("features-of: the network has no second input that could read the features of a view model")


def _words(request: ImportRequest, ending: Ending) -> str:
    return (_MASKS if request.stage == "segmentation" else _LOGITS)[ending]


def _manifest(source: SourceNetwork, request: ImportRequest, ending: Ending, path: Path) -> ModelManifest:
    model, nobody = OnnxModel(path), GroupSplit(frozenset(), frozenset())
    settings = {
        "framework": source.framework,
        "files": source.files,
        "scaling": request.scaling,
        "channels": request.channels,
        "framing": request.framing,
        "ends_in": ending,
        "network_labels": list(request.labels),
    }
    return ModelManifest(
        name=request.name,
        version=request.version,
        stage=request.stage,
        title=request.title or f"Imported {request.stage} model",
        architecture=f"{source.framework}: {source.parameters:,} parameters",
        precision="fp32",
        sha256=sha256_of(path),
        inputs=model.inputs(),
        outputs=model.outputs(),
        labels=request.published_labels,
        sequences=() if request.stage == "view" else request.sequences,
        fallback=request.fallback,
        features_of=request.features_of,
        preprocessing=request.preprocessing,
        postprocessing=Postprocessing() if request.stage == "segmentation" else None,
        training=Training(
            command=request.command,
            seed=0,
            config=settings,
            dataset=request.trained_on,
            groups_sha256=nobody.sha256(),
            groups={},
        ),
    )


def _card(
    source: SourceNetwork,
    manifest: ModelManifest,
    request: ImportRequest,
    ending: Ending,
    parity: Parity,
    folder: Path,
    counts: tuple[int, int],
) -> ModelCard:
    made, given = counts
    answers = "a segmentation of the tumor" if request.stage == "segmentation" else f"the {request.stage} of a slice"
    uncalibrated = "Not calibrated: its probabilities are raw scores, and its prediction sets hold every label."
    return ModelCard(
        name=request.name,
        version=request.version,
        title=manifest.title,
        intended_use=f"Imported: {answers}, as whoever trained it meant it.",
        notice=RESEARCH_ONLY,
        architecture=manifest.architecture,
        parameters=source.parameters,
        file_bytes=(folder / manifest.file).stat().st_size,
        sha256=manifest.sha256,
        training_sets=request.trained_on,
        licences=(request.licence,),
        training_counts={},
        groups={},
        protocol=(
            f"Imported from {source.framework}, neither trained nor evaluated here. The ONNX file was compared with "
            f"the network's own code on {made} made pictures and {given} given ones, in batches of 1 and 5, with the "
            f"scaling ({request.scaling}) and the layout inside the file. {_words(request, ending)}"
        ),
        config=dict(manifest.training.config),
        seed=0,
        limits=(
            "Nobody has measured here how good it is: no figure of this repository is about it.",
            "Compared with the framework named above; another version of it may compute a little differently.",
            *(() if request.stage == "segmentation" else (uncalibrated,)),
        ),
        verification=parity,
        reproduce=(request.command,),
    )
