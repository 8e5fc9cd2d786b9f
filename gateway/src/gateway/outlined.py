"""A finished analysis with an outline: what can be compared."""

from typing import NamedTuple

from gateway.errors import AnalysisNotFinished, NotComparable
from gateway.schemas import FINAL_STATES, Analysis, InputSummary, SegmentationSummary


class Outlined(NamedTuple):
    """An analysis that has succeeded, and its parts that are there for certain."""

    analysis: Analysis
    input: InputSummary
    segmentation: SegmentationSummary


def outlined(analysis: Analysis, name: str) -> Outlined:
    """The analysis, where it can be compared; `name` is what the caller calls it.

    Raises:
        AnalysisNotFinished: it waits or runs.
        NotComparable: it failed, was canceled, or outlines nothing.
    """
    if analysis.state not in FINAL_STATES:
        raise AnalysisNotFinished(
            f"{name}: the analysis is {analysis.state}. Compare when its state is succeeded; its events tell.",
            retry_after_s=5,
        )
    if analysis.state != "succeeded":
        raise NotComparable(f"{name}: the analysis is {analysis.state}; only one that succeeded can be compared.")
    if analysis.segmentation is None or analysis.input is None:
        raise NotComparable(f"{name}: nothing was outlined. Analyze it again with the option `segment: always`.")
    return Outlined(analysis, analysis.input, analysis.segmentation)
