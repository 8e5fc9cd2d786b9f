"""What tells a brain slice from another picture, fitted in closed form on pooled features, without a gradient.

Two opinions on the same principal components are added: a ridge regression of real (-1) against outlier (+1), and the
difference of two Gaussians' squared distances (relative Mahalanobis). Both are quadratic, so the sum is one quadratic
form of the components, and its logarithm is the novelty.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 64
REFUSED_SHARE, REVIEWED_SHARE = 0.005, 0.03
"""Of real slices of a source that the statistics never saw, at most these shares lie above the two limits."""
_RIDGE, _SHRINKAGE, _FLOOR = 0.03, 0.1, 0.05

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NoveltyStatistics:
    """`novelty = symlog(z Q z + b z + c)` with `z = (symsqrt(features) - mean) P`; symsqrt and symlog keep the sign.

    Attributes:
        mean: `[D]`; projection: `[D, K]`, whitened; quadratic: `[K, K]`; linear: `[K]`.
        review_above, refuse_above: the limits of the manifest.
    """

    mean: Floats
    projection: Floats
    quadratic: Floats
    linear: Floats
    constant: float
    review_above: float = float("inf")
    refuse_above: float = float("inf")

    def components(self, features: NDArray[np.float32]) -> Floats:
        """Pooled features `[N, D]` -> whitened components `[N, K]`."""
        compressed = np.sign(features) * np.sqrt(np.abs(features))
        return np.asarray((compressed - self.mean) @ self.projection, np.float64)

    def novelty(self, features: NDArray[np.float32]) -> Floats:
        """Pooled features `[N, D]` -> novelty `[N]`."""
        return self.of_components(self.components(features))

    def of_components(self, components: Floats) -> Floats:
        """Components `[N, K]` -> novelty `[N]`."""
        raw = np.einsum("nk,nk->n", components @ self.quadratic, components) + components @ self.linear + self.constant
        return np.asarray(np.sign(raw) * np.log1p(np.abs(raw)))


def fit_statistics(
    real: NDArray[np.float32], outliers: NDArray[np.float32], sources: NDArray[np.str_], *, limits: bool = True
) -> NoveltyStatistics:
    """Fit on pooled features of real slices `[N, D]` with their `sources [N]`, and of outliers `[M, D]`.

    A source weighs with the square root of its size. The limits come from slices of each source in turn, as the other
    sources' statistics judge them: the larger of all sources together and of a source that is refused too often.

    Raises:
        ValueError: fewer than two sources, or fewer slices than components.
    """
    if len(set(sources)) < 2 or len(real) < COMPONENTS:
        raise ValueError("novelty is fitted on at least two sources and as many slices as components")
    weights = _weights(sources)
    mean, projection = _principal(real, outliers, weights)
    fitted = NoveltyStatistics(mean, projection, np.zeros((0, 0)), np.zeros(0), 0.0)
    inside, outside = fitted.components(real), fitted.components(outliers)
    fitted = _form(fitted, inside, weights, outside)
    if not limits:
        return fitted
    review, refuse = left_out_limits(fitted, inside, outside, sources)
    return replace(fitted, review_above=review, refuse_above=refuse)


def left_out_limits(
    base: NoveltyStatistics, inside: Floats, outside: Floats, sources: NDArray[np.str_]
) -> tuple[float, float]:
    """The limits (review, refuse) by leaving out one source after the other; `base` gives the components."""
    scored: dict[str, Floats] = {}
    for source in sorted(set(sources)):
        kept = sources != source
        fitted = _form(base, inside[kept], _weights(sources[kept]), outside)
        scored[source] = fitted.of_components(inside[~kept])
    pooled = np.concatenate(list(scored.values()))
    weights = np.concatenate([np.full(len(values), 1.0 / len(values)) for values in scored.values()])
    review, refuse = (_quantile(pooled, weights, 1.0 - share) for share in (REVIEWED_SHARE, REFUSED_SHARE))
    return review, max(review, refuse)


def _form(base: NoveltyStatistics, inside: Floats, weights: Floats, outside: Floats) -> NoveltyStatistics:
    even = np.full(len(outside), 1.0 / len(outside))
    near_q, near_b, near_c = _gaussian(inside, weights)
    far_q, far_b, far_c = _gaussian(outside, even)
    slope, offset = _ridge(inside, weights, outside, even)
    distances = (near_q - far_q, near_b - far_b, near_c - far_c)
    values = np.einsum("nk,nk->n", inside @ distances[0], inside) + inside @ distances[1] + distances[2]
    spread = float(np.sqrt(np.average((values - np.average(values, weights=weights)) ** 2, weights=weights)))
    line = inside @ slope + offset
    steep = float(np.sqrt(np.average((line - np.average(line, weights=weights)) ** 2, weights=weights)))
    center = float(np.average(values, weights=weights)) / spread + float(np.average(line, weights=weights)) / steep
    return replace(
        base,
        quadratic=distances[0] / spread,
        linear=distances[1] / spread + slope / steep,
        constant=distances[2] / spread + offset / steep - center,
    )


def _gaussian(points: Floats, weights: Floats) -> tuple[Floats, Floats, float]:
    """The squared distance to a shrunken Gaussian plus its log-determinant, as a quadratic form (Q, b, c)."""
    mean = np.average(points, axis=0, weights=weights)
    centered = points - mean
    covariance = (centered * weights[:, None]).T @ centered / weights.sum()
    level = np.trace(covariance) / len(covariance)
    covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * level * np.eye(len(covariance))
    inverse = np.linalg.inv(covariance)
    pulled = inverse @ mean
    return inverse, -2.0 * pulled, float(mean @ pulled + np.linalg.slogdet(covariance)[1])


def _ridge(inside: Floats, weights: Floats, outside: Floats, even: Floats) -> tuple[Floats, float]:
    rows = np.column_stack([np.concatenate([inside, outside]), np.ones(len(inside) + len(outside))])
    weight = np.concatenate([weights / weights.sum(), even / even.sum()])
    target = np.concatenate([-np.ones(len(inside)), np.ones(len(outside))])
    gram = (rows * weight[:, None]).T @ rows
    gram[np.diag_indices(rows.shape[1] - 1)] += _RIDGE
    found = np.linalg.solve(gram, (rows * weight[:, None]).T @ target)
    return found[:-1], float(found[-1])


def _principal(real: NDArray[np.float32], outliers: NDArray[np.float32], weights: Floats) -> tuple[Floats, Floats]:
    """Mean and whitened principal directions of brains and outliers, half and half, scaled by the brains' spread."""
    rows = np.concatenate([real, outliers]).astype(np.float64)
    rows = np.sign(rows) * np.sqrt(np.abs(rows))
    deviation = rows[: len(real)].std(axis=0)
    scale = deviation + _FLOOR * deviation.mean()
    weight = np.concatenate([weights / weights.sum(), np.full(len(outliers), 1.0 / len(outliers))]) / 2
    mean = weight @ rows
    centered = (rows - mean) / scale
    values, vectors = np.linalg.eigh((centered * weight[:, None]).T @ centered)
    largest = np.argsort(values)[::-1][:COMPONENTS]
    return mean, vectors[:, largest] / np.sqrt(values[largest]) / scale[:, None]


def _weights(sources: NDArray[np.str_]) -> Floats:
    names, counts = np.unique(sources, return_counts=True)
    size = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return np.array([1.0 / np.sqrt(size[str(source)]) for source in sources])


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(reached, share)), len(values) - 1)])
