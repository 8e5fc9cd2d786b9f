"""The band on patients whose errors are known by hand, and its coverage on made ones."""

import numpy as np
import pytest

from model_export.evaluation.boundary_band import MILLIMETERS, SURFACE, fit_band
from model_export.evaluation.conformal import TooFewPatients
from model_export.evaluation.outline_pairs import OutlinePair, measure_pair


def pair(number: int, off_mm: float, *, fold: int = 0, source: str = "made", size_mm: float = 40.0) -> OutlinePair:
    """An outline whose border lies `off_mm` inside the true one everywhere, by its surface and diameters."""
    surface_mm2, found_ml = 6 * size_mm**2, size_mm**3 / 1000
    return OutlinePair(
        patient=f"{source}-{number}",
        source=source,
        fold=fold,
        true_ml=found_ml + off_mm * surface_mm2 / 1000,
        found_ml=found_ml,
        surface_mm2=surface_mm2,
        true_longest_mm=size_mm + 2 * off_mm,
        found_longest_mm=size_mm,
        true_perpendicular_mm=size_mm - 3 * off_mm,
        found_perpendicular_mm=size_mm,
    )


def test_the_bands_are_quantiles_in_millimeters() -> None:
    result = fit_band("made", [pair(n, 0.1 * n, size_mm=30 + n) for n in range(1, 20)])
    # 20 * .9 = 18th of 19 errors; of a diameter the worse of the two.
    assert result.band.volume_mm == pytest.approx(1.8, abs=1e-4)
    assert result.band.diameter_mm == pytest.approx(5.4, abs=1e-4)
    assert result.band.coverage == 0.9
    assert result.band.fitted_on.startswith("19 made patients")
    assert not result.largest_error


def test_rounding_never_uncovers_a_patient() -> None:
    pairs = [pair(n, 1 / 3) for n in range(12)]
    band = fit_band("made", pairs).band
    assert band.volume_mm >= SURFACE.errors(pairs).max()
    assert band.diameter_mm >= abs(MILLIMETERS.errors(pairs)).max()


def test_each_patient_is_judged_by_the_others() -> None:
    pairs = [pair(n, 0.1 * n, fold=n % 2) for n in range(1, 11)]
    result = fit_band("made", pairs)
    assert result.largest_error
    assert result.attainable == pytest.approx(10 / 11)
    published = [row for row in result.forms if row.published]
    assert [row.measure for row in published] == ["volume", "diameters"]
    for row in published:
        assert row.left_out is not None
        assert (row.left_out.covered, row.left_out.patients) == (9, 10)
        assert row.left_out.low < 0.9 < row.left_out.high
        # Five patients of the other fold cannot promise .9.
        assert row.by_fold is None
    # Points of diameters are the longest; it is the other one that is off by more than the bound.
    missed = [point for point in result.points if not point.low <= point.true <= point.high]
    assert [(point.measure, point.found) for point in missed] == [("volume", 64.0)]
    assert len(result.points) == 20


def test_a_fold_whose_network_errs_more_is_not_covered_by_the_others() -> None:
    pairs = [pair(n, 0.1 + 0.01 * n, fold=0) for n in range(12)] + [pair(n, 3.0 + n, fold=1) for n in range(12)]
    row = fit_band("made", pairs).forms[0]
    assert row.by_fold is not None
    assert row.by_fold.value == 0.5


def test_sources_are_judged_apart_and_nothing_outlined_has_no_say() -> None:
    good = [pair(n, 0.1, source="a") for n in range(12)]
    worse = [pair(n, 0.1 + n, source="b") for n in range(4)]
    empty = OutlinePair("none", "b", 0, 30.0, 0.0, 0.0, 40.0, 0.0, 30.0, 0.0)
    result = fit_band("made", [*good, *worse, empty])
    assert (result.patients, result.empty) == (16, 1)
    covered = {(row.source, row.measure): row.left_out.value for row in result.sources}
    assert covered["a", "volume"] == 1.0
    assert covered["b", "volume"] == 0.75


def test_nine_patients_are_enough_to_fit_and_too_few_to_judge() -> None:
    result = fit_band("made", [pair(n, 0.1 * n) for n in range(9)])
    assert result.band.volume_mm == pytest.approx(0.8, abs=1e-4)
    assert all(row.left_out is None and row.relative_width is None for row in result.forms)
    assert result.points == ()
    with pytest.raises(TooFewPatients, match="takes 9"):
        fit_band("made", [pair(n, 0.1 * n) for n in range(8)])
    assert fit_band("made", [pair(n, 0.1 * n) for n in range(8)], 0.8).band.coverage == 0.8


def test_intervals_of_new_patients_cover_as_promised() -> None:
    random = np.random.default_rng(11)

    def patients(count: int) -> list[OutlinePair]:
        sizes, offs = random.uniform(15, 70, count), random.normal(0.2, 0.8, count)
        return [pair(n, float(off), size_mm=float(size)) for n, (size, off) in enumerate(zip(sizes, offs, strict=True))]

    covered = []
    for _ in range(60):
        band = fit_band("made", patients(25)).band
        new = patients(50)
        low, high = SURFACE.ends(new, np.full((50, 2), band.volume_mm))
        truth = np.array([one.true_ml for one in new])
        covered.append((low[:, 0] <= truth) & (truth <= high[:, 0]))
    # 24 of 26 ranks.
    assert np.mean(covered) == pytest.approx(24 / 26, abs=0.02)


def test_a_bound_for_each_end_is_narrower_where_a_network_finds_too_little() -> None:
    offs = [-0.3, *(0.1 * n for n in range(24))]
    even, uneven = fit_band("made", [pair(n, off, fold=n % 5) for n, off in enumerate(offs)]).forms[:2]
    assert (even.published, uneven.published) == (True, False)
    assert even.below == even.above
    assert (uneven.below, uneven.above) == (pytest.approx(0.3), pytest.approx(2.3))
    assert even.relative_width is not None
    assert uneven.relative_width is not None
    assert uneven.relative_width < even.relative_width
    assert uneven.left_out is not None
    assert uneven.left_out.covered == 23
    assert uneven.by_fold is not None


def test_each_end_apart_takes_more_patients_and_holds_what_was_found() -> None:
    assert len(fit_band("made", [pair(n, 0.1 * n) for n in range(18)]).forms) == 4
    uneven = fit_band("made", [pair(n, 1.0 + 0.1 * n) for n in range(25)]).forms[1]
    assert uneven.below == 0.0


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (4.0, 0.9, 0.9)])
def test_outlines_are_measured_as_they_are_served(spacing_mm: tuple[float, float, float]) -> None:
    places = [np.arange(round(80 / step)) * step - 40 for step in spacing_mm]
    z, y, x = np.meshgrid(*places, indexing="ij")
    distance = np.sqrt((z - 0.3) ** 2 + (y + 0.2) ** 2 + (x - 0.1) ** 2)
    found = measure_pair("ball", "made", 2, distance <= 30, distance <= 27, spacing_mm)
    assert found.true_ml == pytest.approx(4 / 3 * np.pi * 30**3 / 1000, rel=0.01)
    assert found.found_longest_mm == pytest.approx(54, rel=0.02)
    assert found.true_perpendicular_mm == pytest.approx(60, rel=0.02)
    # Exposed faces are 1.5 times a ball's surface, so 3 mm between the borders count as about two thirds of it.
    ((error_mm,),) = SURFACE.errors([found])
    assert error_mm == pytest.approx(3 * (30**3 - 27**3) / (3 * 3 * 27**2) / 1.5, rel=0.05)
    small = measure_pair("none", "made", 2, distance <= 30, distance < 0, spacing_mm)
    assert (small.found_ml, small.surface_mm2, small.found_longest_mm) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="not on one grid"):
        measure_pair("ball", "made", 2, distance <= 30, distance[:-1] <= 30, spacing_mm)
