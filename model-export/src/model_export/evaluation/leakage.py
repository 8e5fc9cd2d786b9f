"""What a careless split is worth: one recipe trained twice, split by group and by slice."""

from pathlib import Path

import numpy as np
import torch

from model_export.architectures.tumor import TumorNetwork
from model_export.datasets.split import GroupSplit, members, split_by_slice
from model_export.datasets.tumor_set import TumorSample
from model_export.evaluation.bootstrap import Estimate, group_bootstrap
from model_export.evaluation.metrics import accuracy, macro_f1
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.results import LeakageStudy
from model_export.training.loop import load_checkpoint
from model_export.training.run import study_path
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.preprocessing import Preprocessing

_BATCH = 64


def evaluate_leakage(
    samples: list[TumorSample], split: GroupSplit, view: PublishedModel, cache: Path
) -> LeakageStudy | None:
    """Both arms, each on its own test slices of `t1_slices`; None where the study was not trained.

    Args:
        samples: all tumor samples.
        split: the split by group.
        view: the published view model, whose features both arms read.
        cache: where the arms' checkpoints are.
    """
    paths = {name: study_path(cache, name) for name in ("group", "slice")}
    if not all(path.exists() for path in paths.values()):
        return None
    main = [s for s in samples if s.main]
    config = load_checkpoint(paths["slice"])[1]
    names = [f"slice-{index}" for index in range(len(main))]
    tests = {
        "group": [s for s in main if s.group in split.test],
        "slice": [main[i] for i in members(names, split_by_slice(len(main), config.seed).test)],
    }
    found = {name: _judge(tests[name], view, path) for name, path in paths.items()}
    return LeakageStudy(
        epochs=config.epochs,
        size=config.size,
        grouped_accuracy=found["group"][0],
        grouped_macro_f1=found["group"][1],
        leaky_accuracy=found["slice"][0],
        leaky_macro_f1=found["slice"][1],
    )


def _judge(test: list[TumorSample], view: PublishedModel, checkpoint: Path) -> tuple[Estimate, Estimate]:
    """Accuracy and macro-F1 of an arm."""
    state, config, _ = load_checkpoint(checkpoint)
    network, preprocessing = TumorNetwork(pooling="mean").eval(), Preprocessing(size=config.size)
    network.load_state_dict(state)
    predicted = []
    for start in range(0, len(test), _BATCH):
        pixels = [s.load() for s in test[start : start + _BATCH]]
        features = view.model.run({"image": np.stack([view.place(p)[0][None] for p in pixels])})["features"]
        images = torch.from_numpy(np.stack([preprocessing.apply(p)[0][None] for p in pixels]))
        with torch.no_grad():
            predicted.append(network(images, torch.from_numpy(features))[0].argmax(dim=1).numpy())
    answers, groups = np.concatenate(predicted), [s.group for s in test]
    truth = np.array([TUMOR_LABELS.index(s.label) for s in test], np.int64)
    return (
        group_bootstrap(groups, lambda at: accuracy(truth[at], answers[at])),
        group_bootstrap(groups, lambda at: macro_f1(truth[at], answers[at], len(TUMOR_LABELS))),
    )
