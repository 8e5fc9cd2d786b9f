"""The files that can be had of an analysis: their names, their media types, and which of them there are."""

from types import MappingProxyType

MEDIA_TYPES = MappingProxyType(
    {
        "input.png": "image/png",
        "mask.png": "image/png",
        "overlay.png": "image/png",
        "heatmap.png": "image/png",
        "report.html": "text/html; charset=utf-8",
        "evidence.json": "application/json",
    }
)


def analysis_path(analysis_id: str) -> str:
    """Where the analysis is."""
    return f"/v1/analyses/{analysis_id}"


def available(*, outlined: bool, mapped: bool) -> tuple[str, ...]:
    """Names of the artifacts that an analysis has: `outlined` with a mask, `mapped` with a heat map."""
    missing = set() if outlined else {"mask.png", "overlay.png"}
    if not mapped:
        missing.add("heatmap.png")
    return tuple(name for name in MEDIA_TYPES if name not in missing)


def links(analysis_id: str, *, outlined: bool, mapped: bool) -> dict[str, str]:
    """The absolute paths of the analysis and its artifacts, by the artifact's name without its ending."""
    here = analysis_path(analysis_id)
    names = available(outlined=outlined, mapped=mapped)
    return {"self": here} | {name.partition(".")[0]: f"{here}/{name}" for name in names}


def job_links(analysis_id: str) -> dict[str, str]:
    """What there is of an analysis that is a job, whatever its state."""
    here = analysis_path(analysis_id)
    return {"self": here, "events": f"{here}/events"}
