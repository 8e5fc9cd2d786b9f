"""Novelty: fitted in closed form, attached to the view network, exported; the kinds of pictures it is judged on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model_export.architectures.view import ViewNetwork
from model_export.datasets.novelty_set import NoveltySet, turned_slices
from model_export.datasets.outliers import OutlierKind, brain_kinds, made_kinds, packaged_kinds
from model_export.engine import OnnxModel
from model_export.evaluation.novelty import auroc
from model_export.export.onnx_graph import export_network
from model_export.novelty import attach_novelty, draw_outliers, fit_novelty, manifest_block, pooled_features
from model_export.novelty_statistics import COMPONENTS, fit_statistics
from model_export.verify import compare
from service_kit.inference.preprocessing import Preprocessing

SIZE = 64


def heads(count: int, seed: int) -> NDArray[np.uint8]:
    """Ovals with two darker spots, each a little different."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1.0 : 1.0 : 96 * 1j, -1.0 : 1.0 : 96 * 1j]
    made = []
    for _ in range(count):
        tall, wide, spot = random.uniform(0.75, 0.9), random.uniform(0.6, 0.75), random.uniform(0.1, 0.25)
        gray = np.where((y / tall) ** 2 + (x / wide) ** 2 < 1, 150 + 40 * np.cos(9 * y * x), 0)
        gray[np.hypot(y, np.abs(x) - 0.2) < spot] *= 0.4
        made.append(
            Preprocessing(size=SIZE).apply(np.clip(gray + random.normal(0, 4, gray.shape), 0, 255).astype(np.uint8))[0]
        )
    return np.stack(made)


@pytest.fixture(scope="module")
def network() -> ViewNetwork:
    torch.manual_seed(3)
    return ViewNetwork().eval()


@pytest.fixture(scope="module")
def outliers() -> NDArray[np.uint8]:
    kinds = [kind for kind in made_kinds() if kind.name in {"white_noise", "gradient", "shapes", "barcode"}]
    return draw_outliers(kinds, SIZE, 12)[0]


def clouds(seed: int, shift: float, count: int = 200) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).normal(size=(count, 80)) + shift).astype(np.float32)


def test_statistics_tell_two_clouds_apart_and_the_limits_keep_their_promise() -> None:
    sources = np.repeat(["a", "b", "c", "d"], 50)
    fitted = fit_statistics(clouds(1, 1.0), clouds(2, 2.5), sources)
    inside, outside = fitted.novelty(clouds(3, 1.0)), fitted.novelty(clouds(4, 2.5))
    assert auroc(inside, outside) > 0.99
    assert fitted.review_above <= fitted.refuse_above
    assert np.mean(inside > fitted.refuse_above) < 0.03
    assert np.mean(outside > fitted.review_above) > 0.9


def test_a_source_that_differs_from_all_others_raises_the_limits() -> None:
    real = np.concatenate([clouds(1, 1.0, 150), clouds(2, 1.4, 50)])
    odd = fit_statistics(real, clouds(3, 2.5), np.repeat(["a", "b", "c", "odd"], 50))
    even = fit_statistics(real, clouds(3, 2.5), np.tile(["a", "b", "c", "odd"], 50))
    assert odd.refuse_above > even.refuse_above


def test_one_source_or_too_few_slices_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="at least two sources"):
        fit_statistics(clouds(1, 0.0), clouds(2, 1.0), np.repeat("a", 200))
    with pytest.raises(ValueError, match="as many slices as components"):
        fit_statistics(clouds(1, 0.0, COMPONENTS - 1), clouds(2, 1.0), np.arange(COMPONENTS - 1).astype(str))


def test_the_graph_computes_what_was_fitted_and_leaves_the_answers_alone(
    tmp_path: Path, network: ViewNetwork, outliers: NDArray[np.uint8]
) -> None:
    brains = heads(120, 1)
    fitted = fit_novelty(network, brains[:, None], [f"s{n % 3}" for n in range(120)], outliers=outliers)
    extended = attach_novelty(network, fitted)
    image = torch.from_numpy(np.concatenate([heads(3, 2), outliers[::16]])[:, None])
    with torch.no_grad():
        logits, features, novelty = extended(image)
        plain_logits, plain_features = network(image)
    assert torch.allclose(logits, plain_logits, atol=1e-5)
    assert torch.allclose(features, plain_features, atol=1e-5)
    assert novelty.shape == (len(image), 1)
    np.testing.assert_allclose(
        novelty[:, 0].numpy(), fitted.novelty(pooled_features(network, image[:, 0].numpy())), atol=5e-3
    )
    assert novelty[:3].max() < novelty[3:].min()
    export_network(extended, (image[:2],), tmp_path / "model.onnx")
    parity = compare(extended, tmp_path / "model.onnx", [(image[:1],), (image[:5],)])
    assert parity.passed, parity
    shapes = {spec.name: spec.shape for spec in OnnxModel(tmp_path / "model.onnx").outputs()}
    assert shapes == {"logits": (-1, 3), "features": (-1, 128), "novelty": (-1, 1)}
    block = manifest_block(fitted, "made heads")
    assert (block.output, block.refuse_above) == ("novelty", fitted.refuse_above)


def test_another_network_is_refused(network: ViewNetwork, outliers: NDArray[np.uint8]) -> None:
    fitted = fit_statistics(clouds(1, 0.0), clouds(2, 1.0), np.repeat(["a", "b"], 100))
    with pytest.raises(TypeError, match="view network"):
        attach_novelty(torch.nn.Linear(2, 2), fitted)
    with pytest.raises(TypeError, match="view network"):
        pooled_features(torch.nn.Linear(2, 2), outliers)


def kinds() -> tuple[OutlierKind, ...]:
    return (*made_kinds(), *packaged_kinds(), *brain_kinds(list(heads(4, 5))))


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_every_kind_draws_gray_pictures_that_its_seed_repeats(kind: OutlierKind) -> None:
    first, again, other = (kind.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.dtype == np.uint8
    assert first.ndim == 2
    assert min(first.shape) >= 24
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_there_are_at_least_fifteen_kinds_without_any_file() -> None:
    assert len({kind.name for kind in made_kinds()}) >= 15


def test_slices_are_turned_in_every_way() -> None:
    brains = heads(6, 3)
    found = NoveltySet(brains, np.repeat(["a", "b"], 3), brains, np.repeat("k", 6), {})
    turned = turned_slices(found)
    assert {name: len(images) for name, (images, _) in turned.items()} == dict.fromkeys(turned, 6)
    np.testing.assert_array_equal(np.rot90(turned["quarter"][0], 1, (1, 2)), turned["half"][0])


def test_auroc_counts_a_tie_half() -> None:
    assert auroc(np.array([0.0, 1.0]), np.array([1.0, 2.0])) == pytest.approx(0.875)
