"""The development sets, where they are: labels, and the group rule on the real index."""

from pathlib import Path

import numpy as np

from model_export.datasets.clinical import read_clinical
from model_export.datasets.lgg import read_lgg, read_outline, read_sequences, split_lgg
from model_export.datasets.slices import read_mask, read_slices, split_slices
from model_export.datasets.split import PARTS
from model_export.datasets.volumes import read_volumes
from model_export.training.config import CONFIGS
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.manifest import ModelManifest

SEED = CONFIGS["view"].seed


def test_every_slice_falls_on_one_side_and_every_class_on_each(sets: Path) -> None:
    records = read_slices(sets)
    split = split_slices(records, SEED)
    shares = {}
    for part in PARTS:
        inside = [r for r in records if r.group in split.part(part)]
        assert {r.tumor_class for r in inside} == set(TUMOR_LABELS)
        shares[part] = len(inside) / len(records)
    assert abs(shares["train"] - 0.7) < 0.03
    assert abs(shares["test"] - 0.2) < 0.03
    assert abs(sum(shares.values()) - 1) < 1e-9


def test_the_published_models_were_trained_on_this_split(sets: Path, models: Path) -> None:
    manifest = ModelManifest.load(models / "seg-t1")
    assert split_slices(read_slices(sets), manifest.training.seed).sha256() == manifest.training.groups_sha256


def test_only_tumors_have_masks(sets: Path) -> None:
    records = read_slices(sets)[::200]
    for record in records:
        mask = read_mask(record)
        assert (mask is None) == (record.tumor_class == "no_tumor")
        assert mask is None or mask.any()


def test_lgg_patients_stay_together_and_have_records(sets: Path) -> None:
    slices = read_lgg(sets)
    split = split_lgg(slices, SEED)
    assert sum(split.counts().values()) == len({s.patient for s in slices}) == 94
    assert {s.patient for s in slices} <= set(read_clinical(sets))
    item = max(slices, key=lambda s: s.tumor_px)
    assert int(read_outline(item).sum()) == item.tumor_px
    assert {p.shape for p in read_sequences(item).values()} == {(256, 256)}


def test_a_volume_is_upright_and_its_labels_fit(sets: Path) -> None:
    case = read_volumes(sets, "brats")[0]
    index = int(np.argmax((case.arrays["seg"] > 0).sum(axis=(0, 1))))
    picture, labels = case.slice("flair", "axial", index), case.slice("seg", "axial", index)
    assert picture.shape == labels.shape
    assert picture[labels > 0].mean() > picture[picture > 0].mean()
