import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segmenter_service.segmenter import Segmenter
from segmenter_service.stack import SliceStack
from service_kit.errors import DeadlineExceeded, InferenceFailed, InvalidRequest, ModelInvalid
from service_kit.inference.manifest import ModelManifest, Postprocessing
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Preprocessing
from service_kit.inference.served import StageModels
from service_kit.testing import CLINICAL_FEATURES, FakeBackend, Function, tiny_model

Arrays = Mapping[str, NDArray[Any]]


def bright(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """What is brighter than half in the mean of the channels, as the tiny model has it."""
    mean = arrays["image"].astype(np.float32).mean(axis=1, keepdims=True) / 255
    return {"probabilities": 1 / (1 + np.exp(-20 * (mean - 0.5)))}


def segmenter(manifest: ModelManifest, function: Function = bright, **sizes: int) -> tuple[Segmenter, FakeBackend]:
    backend = FakeBackend(manifest, function)
    sizes = {"chunk_slices": 4, "chunks_at_once": 2, **sizes}
    return Segmenter(StageModels("segmentation", [backend]), **sizes), backend


def film(folder: Path, **changes: Any) -> ModelManifest:
    return tiny_model(
        folder,
        "segmentation",
        name="seg-flair-film",
        sequences=("t1", "flair", "t1ce"),
        clinical=True,
        fallback={"t1": "flair", "t1ce": "flair"},
        **changes,
    )


async def test_the_mask_is_the_bright_square_on_the_inputs_own_grid(tmp_path: Path, stack: NDArray[np.uint8]) -> None:
    model, _ = segmenter(tiny_model(tmp_path, "segmentation", size=96))
    found = await model.segment(SliceStack({"t1ce": stack}))
    assert found.mask.dtype == np.uint8
    assert np.array_equal(found.mask[1:], (stack[1:] == 250).astype(np.uint8))
    assert found.result.labels == {"tumor": int(found.mask.sum())}
    assert found.probabilities is None
    assert not found.result.clinical_used


@pytest.mark.parametrize("chunk_slices", [1, 3, 4, 10, 64])
async def test_chunks_do_not_change_the_answer(tmp_path: Path, stack: NDArray[np.uint8], chunk_slices: int) -> None:
    manifest = tiny_model(tmp_path, "segmentation")
    model, backend = segmenter(manifest, chunk_slices=chunk_slices)
    found = await model.segment(SliceStack({"t1ce": stack}), return_probabilities=True)
    assert sorted(len(call["image"]) for call in backend.calls) == sorted(
        min(chunk_slices, 10 - at) for at in range(0, 10, chunk_slices)
    )
    whole, _ = segmenter(manifest, chunk_slices=10)
    expected = await whole.segment(SliceStack({"t1ce": stack}), return_probabilities=True)
    assert np.array_equal(found.mask, expected.mask)
    assert found.probabilities is not None
    assert expected.probabilities is not None
    assert np.array_equal(found.probabilities, expected.probabilities)


async def test_the_mask_is_what_evaluation_makes_of_the_same_probabilities(
    tmp_path: Path, stack: NDArray[np.uint8]
) -> None:
    postprocessing = Postprocessing(threshold=0.4, min_component_px=6)
    manifest = tiny_model(tmp_path, "segmentation", postprocessing=postprocessing, preprocessing=Preprocessing(size=32))
    model, _ = segmenter(manifest)
    found = await model.segment(SliceStack({"t1ce": stack}))
    assert manifest.preprocessing is not None
    for pixels, mask in zip(stack, found.mask, strict=True):
        grid, placement = manifest.preprocessing.apply(pixels)
        plane = bright({"image": grid[None, None]})["probabilities"][0, 0]
        assert np.array_equal(mask, postprocess(plane, placement, postprocessing))


async def test_no_more_chunks_are_in_work_than_set(tmp_path: Path, stack: NDArray[np.uint8]) -> None:
    running = most = 0

    async def slow(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return bright(arrays)

    model, backend = segmenter(tiny_model(tmp_path, "segmentation"), slow, chunk_slices=1, chunks_at_once=3)
    await model.segment(SliceStack({"t1ce": stack}))
    assert len(backend.calls) == 10
    assert most == 3


async def test_channels_are_fed_in_the_models_order_on_one_placement(tmp_path: Path, stack: NDArray[np.uint8]) -> None:
    manifest = film(tmp_path, preprocessing=Preprocessing(size=32))
    assert manifest.preprocessing is not None
    model, backend = segmenter(manifest, chunk_slices=10)
    # The t1 shows a smaller head: placed on its own it would not lie on the FLAIR.
    t1 = np.zeros_like(stack)
    t1[:, 30:60, 20:40] = 100
    found = await model.segment(SliceStack({"t1": t1, "flair": stack, "t2": t1}))
    image = backend.calls[0]["image"]
    for number, pixels in enumerate(stack):
        placement = manifest.preprocessing.place(pixels)
        flair = manifest.preprocessing.apply(pixels, placement)[0]
        assert np.array_equal(image[number, 0], manifest.preprocessing.apply(t1[number], placement)[0])
        assert np.array_equal(image[number, 1], flair)
        assert np.array_equal(image[number, 2], flair)
    assert found.result.sequences == ("t1", "flair", "t1ce")
    assert found.result.substituted == {"t1ce": "flair"}


async def test_every_slice_gets_the_clinical_vector(tmp_path: Path, stack: NDArray[np.uint8]) -> None:
    model, backend = segmenter(film(tmp_path))
    features = dict(zip(CLINICAL_FEATURES, (0.1, 0.2, 0.3), strict=True))
    found = await model.segment(SliceStack({"flair": stack}), features)
    assert found.result.clinical_used
    assert all(np.allclose(call["clinical"], [0.1, 0.2, 0.3]) for call in backend.calls)
    assert {call["clinical"].shape for call in backend.calls} == {(4, 3), (2, 3)}


async def test_without_clinical_data_the_default_is_used_and_said(tmp_path: Path, stack: NDArray[np.uint8]) -> None:
    manifest = film(tmp_path)
    model, backend = segmenter(manifest)
    found = await model.segment(SliceStack({"flair": stack}))
    assert not found.result.clinical_used
    assert np.allclose(backend.calls[0]["clinical"], manifest.clinical_default)


@pytest.mark.parametrize("always_read", [False, True])
async def test_a_record_that_did_not_help_is_read_only_when_asked(
    tmp_path: Path, stack: NDArray[np.uint8], always_read: bool
) -> None:
    manifest = film(tmp_path).model_copy(update={"clinical_by_default": False})
    model, backend = segmenter(manifest)
    features = dict(zip(CLINICAL_FEATURES, (0.1, 0.2, 0.3), strict=True))
    found = await model.segment(SliceStack({"flair": stack}), features, always_read=always_read)
    assert (found.result.clinical_used, found.result.clinical_left_out) == (always_read, not always_read)
    wanted = [0.1, 0.2, 0.3] if always_read else manifest.clinical_default
    assert np.allclose(backend.calls[0]["clinical"], wanted)
    without = await model.segment(SliceStack({"flair": stack}))
    assert not without.result.clinical_left_out


async def test_a_vector_of_other_names_is_refused_even_where_it_is_left_out(
    tmp_path: Path, stack: NDArray[np.uint8]
) -> None:
    model, _ = segmenter(film(tmp_path).model_copy(update={"clinical_by_default": False}))
    with pytest.raises(InvalidRequest, match="reads exactly"):
        await model.segment(SliceStack({"flair": stack}), {"height": 0.5})


async def test_a_model_without_a_clinical_input_ignores_the_vector(tmp_path: Path, stack: NDArray[np.uint8]) -> None:
    model, backend = segmenter(tiny_model(tmp_path, "segmentation"))
    found = await model.segment(SliceStack({"t1ce": stack}), {"age": 0.5})
    assert not found.result.clinical_used
    assert backend.calls[0].keys() == {"image"}


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1, np.inf])
async def test_a_model_that_answers_no_probabilities_fails(
    tmp_path: Path, stack: NDArray[np.uint8], value: float
) -> None:
    def broken(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
        return {"probabilities": np.full((len(arrays["image"]), 1, 32, 32), value, np.float32)}

    model, _ = segmenter(tiny_model(tmp_path, "segmentation"), broken)
    with pytest.raises(InferenceFailed, match="other than probabilities"):
        await model.segment(SliceStack({"t1ce": stack}))


async def test_the_first_chunk_that_fails_is_the_answer(tmp_path: Path, stack: NDArray[np.uint8]) -> None:
    calls = 0

    async def late(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise DeadlineExceeded("too late")
        await asyncio.sleep(0.01)
        return bright(arrays)

    model, backend = segmenter(tiny_model(tmp_path, "segmentation"), late, chunk_slices=1)
    with pytest.raises(DeadlineExceeded):
        await model.segment(SliceStack({"t1ce": stack}))
    assert len(backend.calls) < 10


async def test_a_blank_slice_has_no_tumor(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path, "segmentation", preprocessing=Preprocessing(size=32))
    model, _ = segmenter(manifest)
    for value in (0, 255):
        found = await model.segment(SliceStack({"t1ce": np.full((1, 1, 1), value, np.uint8)}))
        assert found.mask.tolist() == [[[0]]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ()}, "one label"),
        ({"labels": ("necrotic", "edema")}, "one label"),
        ({"sequences": ("t1", "t2")}, "channel for each"),
        ({"sequences": ("ct",)}, "must be of t1, t1ce, t2, flair"),
        ({"clinical_features": ("age",)}, "clinical"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    manifest = tiny_model(tmp_path, "segmentation").model_copy(update=changes)
    with pytest.raises(ModelInvalid, match=words):
        segmenter(manifest)
