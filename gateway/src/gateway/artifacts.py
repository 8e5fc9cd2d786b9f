"""The files that can be had of an analysis: their names, their media types, and which of them there are."""

from collections.abc import Iterable
from types import MappingProxyType

MEDIA_TYPES = MappingProxyType(
    {
        "input.png": "image/png",
        "mask.png": "image/png",
        "mask.nii.gz": "application/gzip",
        "overlay.png": "image/png",
        "heatmap.png": "image/png",
        "report.html": "text/html; charset=utf-8",
        "evidence.json": "application/json",
        "report.pdf": "application/pdf",
        "saliency.png": "image/png",
        "thumbnail.png": "image/png",
    }
)
_OF_VOLUMES_ALONE = frozenset({"mask.nii.gz"})
_OF_SLICES_ALONE = frozenset({"mask.png"})
_OF_THE_MAP = frozenset({"heatmap.png", "saliency.png"})


def analysis_path(analysis_id: str) -> str:
    """Where the analysis is."""
    return f"/v1/analyses/{analysis_id}"


def available(*, outlined: bool, mapped: bool) -> tuple[str, ...]:
    """Names of the artifacts that a slice's analysis has: `outlined` with a mask, `mapped` with a heat map."""
    missing = set(_OF_VOLUMES_ALONE) | (set() if outlined else {"mask.png", "overlay.png"})
    return _all_but(missing, mapped=mapped)


def volume_available(*, outlined: bool, mapped: bool) -> tuple[str, ...]:
    """Names of the artifacts that a volume's analysis has. Its overlay shows three planes also without a mask."""
    missing = set(_OF_SLICES_ALONE) | (set() if outlined else {"mask.nii.gz"})
    return _all_but(missing, mapped=mapped)


def links(analysis_id: str, *, outlined: bool, mapped: bool) -> dict[str, str]:
    """The absolute paths of a slice's analysis and its artifacts, by name: see `_link_name`."""
    return _links(analysis_id, available(outlined=outlined, mapped=mapped))


def volume_links(analysis_id: str, sequences: Iterable[str], *, outlined: bool, mapped: bool) -> dict[str, str]:
    """The same of a volume's analysis, with where its slices are listed and each of its `sequences` is."""
    here = analysis_path(analysis_id)
    files = _links(analysis_id, volume_available(outlined=outlined, mapped=mapped))
    volumes = {f"sequence_{name}": f"{here}/sequences/{name}.nii.gz" for name in sequences}
    return files | {"slices": f"{here}/slices"} | volumes


def job_links(analysis_id: str) -> dict[str, str]:
    """What there is of an analysis that is a job, whatever its state."""
    here = analysis_path(analysis_id)
    return {"self": here, "events": f"{here}/events"}


def _all_but(missing: set[str], *, mapped: bool) -> tuple[str, ...]:
    if not mapped:
        missing = missing | _OF_THE_MAP
    return tuple(name for name in MEDIA_TYPES if name not in missing)


def _links(analysis_id: str, names: tuple[str, ...]) -> dict[str, str]:
    here = analysis_path(analysis_id)
    return {"self": here} | {_link_name(name): f"{here}/{name}" for name in names}


def _link_name(name: str) -> str:
    """The artifact's name without its ending; `report` is the HTML, `report_pdf` the other."""
    return "report_pdf" if name == "report.pdf" else name.partition(".")[0]
