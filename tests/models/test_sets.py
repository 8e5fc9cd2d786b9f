"""The development sets, where they are: labels, and the group rule on the real index."""

from pathlib import Path

import numpy as np
import pytest

from model_export.audit.guard import LeakingSplit
from model_export.datasets.clinical import read_clinical
from model_export.datasets.copies import copied_in_training, copy_pairs
from model_export.datasets.lgg import read_lgg, read_outline, read_sequences, split_lgg
from model_export.datasets.slices import fold_slices, joined_groups, read_mask, read_slices
from model_export.datasets.split import FOLDS, Fold
from model_export.datasets.volumes import read_volumes
from model_export.repository import fold_of
from model_export.training.run import guard_fold
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.manifest import ModelManifest


def test_every_slice_is_tested_once_and_every_class_in_each_fold(sets: Path) -> None:
    tested = []
    for index in range(FOLDS):
        records, split = fold_slices(sets, Fold(index))
        inside = [r for r in records if r.group in split.test]
        assert {r.tumor_class for r in inside} == set(TUMOR_LABELS)
        assert abs(len(inside) / len(records) - 0.2) < 0.02
        tested += [r.image.name for r in inside]
    assert sorted(tested) == sorted(r.image.name for r in read_slices(sets))


def test_groups_that_hold_copies_of_each_other_stay_together(sets: Path) -> None:
    joined = joined_groups()
    names = {r.group for r in read_slices(sets)}
    assert set(joined) <= names
    records, _ = fold_slices(sets, Fold(0))
    assert len({r.group for r in records}) == len(names) - len(joined) + len(set(joined.values()))


def test_the_leaky_arm_deals_single_slices(sets: Path) -> None:
    records, _ = fold_slices(sets, Fold(0, leaky=True))
    assert len({r.group for r in records}) == len(records)


def test_the_published_models_were_trained_on_these_groups(sets: Path, models: Path) -> None:
    manifest = ModelManifest.load(models / "seg-t1")
    _, split = fold_slices(sets, fold_of(manifest))
    assert split.sha256() == manifest.training.groups_sha256


def test_only_tumors_have_masks(sets: Path) -> None:
    records = read_slices(sets)[::200]
    for record in records:
        mask = read_mask(record)
        assert (mask is None) == (record.tumor_class == "no_tumor")
        assert mask is None or mask.any()


def test_lgg_patients_stay_together_and_have_records(sets: Path) -> None:
    slices = read_lgg(sets)
    split = split_lgg(slices, Fold(0))
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


def test_no_slice_is_judged_of_which_a_copy_is_trained_on(sets: Path) -> None:
    records, split = fold_slices(sets, Fold(0))
    copied = copied_in_training(records, split)
    tested = {r.image.name for r in records if r.group in split.test}
    assert copied < tested
    assert len(copied) < 0.1 * len(tested)
    trained = {r.image.name for r in records if r.group in split.train}
    left = tested - copied
    assert not [pair for pair in copy_pairs() if set(pair) & left and set(pair) & trained]


def test_the_folds_pass_the_guard_and_the_leaky_arm_does_not(sets: Path) -> None:
    for index in range(FOLDS):
        guard_fold(sets, Fold(index))
    with pytest.raises(LeakingSplit, match="allow-leak"):
        guard_fold(sets, Fold(0, leaky=True))
