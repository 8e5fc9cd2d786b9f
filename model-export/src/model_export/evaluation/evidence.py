"""Does the tumor model's map point at the tumor? Against the published outlines of the test patients."""

from collections.abc import Sequence

import numpy as np

from model_export.datasets.tumor_set import TumorSample, tumor_place
from model_export.evaluation.bootstrap import group_bootstrap
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.results import EvidenceResult
from service_kit.contracts.common import TUMOR_LABELS

_BATCH = 64


def evaluate_evidence(view: PublishedModel, tumor: PublishedModel, samples: Sequence[TumorSample]) -> EvidenceResult:
    """The map of the true class on every sample that has an outline.

    `pointing` is the share of slices whose strongest position touches the tumor, `inside` the mean share of the
    evidence that lies on such positions, `chance` what a uniform map would get in both.
    """
    outlined = [s for s in samples if s.mask is not None]
    if tumor.manifest.preprocessing is None:
        raise ValueError("tumor has no preprocessing")
    hits, inside, chance = [], [], []
    for start in range(0, len(outlined), _BATCH):
        part = outlined[start : start + _BATCH]
        pixels = [s.load() for s in part]
        features = view.model.run({"image": np.stack([view.place(p)[0][None] for p in pixels])})["features"]
        images = np.stack([tumor.place(p)[0][None] for p in pixels])
        maps = tumor.model.run({"image": images, "view_features": features})["cam"]
        for sample, cam in zip(part, maps, strict=True):
            evidence = np.maximum(cam[TUMOR_LABELS.index(sample.label)], 0.0)
            touched = tumor_place(sample, tumor.manifest.preprocessing, evidence.shape[-1]) > 0
            hits.append(float(touched.flat[int(evidence.argmax())]))
            inside.append(float(evidence[touched].sum() / max(float(evidence.sum()), 1e-9)))
            chance.append(float(touched.mean()))
    groups, hit, share = [s.group for s in outlined], np.array(hits), np.array(inside)
    return EvidenceResult(
        pointing=group_bootstrap(groups, lambda at: float(hit[at].mean())),
        inside=group_bootstrap(groups, lambda at: float(share[at].mean())),
        chance=float(np.mean(chance)),
    )
