"""How reports and pictures call things."""

from gateway.reporting.overlay import TUMOR_NAMES
from gateway.schemas import FinishedAnalysis

STAGE_NAMES = {"view": "View", "tumor": "Tumor type", "clinical": "Clinical data", "segmentation": "Outline"}
SEQUENCE_NAMES = {"t1": "T1", "t1ce": "T1 with contrast", "t2": "T2", "flair": "FLAIR"}

_LONG_MS = 10_000.0


def headline(analysis: FinishedAnalysis) -> str:
    """The answer in a few words."""
    if analysis.tumor is None or analysis.verdict == "refuse":
        return "No answer"
    if analysis.tumor.label == "no_tumor":
        return "No tumor found" if analysis.verdict == "answer" else "No tumor is the likeliest finding"
    if analysis.tumor.label == "tumor":
        return "A tumor, of a type that the model does not name, is the likeliest finding"
    return f"{TUMOR_NAMES[analysis.tumor.label]} is the likeliest finding"


def lead(analysis: FinishedAnalysis, picture: str = "slice") -> str:
    """What the headline rests on; `picture` is what was classified."""
    tumor = analysis.tumor
    if tumor is None:
        return f"The {picture} was not classified."
    present = f"The probability that the {picture} shows a tumor is {percent(tumor.present_probability)}."
    if analysis.verdict == "answer":
        return f"{present} Nothing speaks against the answer."
    if analysis.verdict == "refuse":
        return "The findings on this page add up to no answer and must not be used as one:"
    return f"{present} A reader must look before this is used:"


def evidence_caption(label: str | None) -> str:
    """What stands under a heat map."""
    name = "a tumor" if label == "tumor" else TUMOR_NAMES.get(label or "", "the label").lower()
    return f"Where the classifier saw evidence for {name}. Not an outline."


def percent(share: float) -> str:
    """A probability for reading: never a bare 0 % or 100 %, which no model knows."""
    if 0 < share < 0.001:
        return "under 0.1\u00a0%"
    if 0.999 < share < 1:
        return "over 99.9\u00a0%"
    return f"{100 * share:.1f}\u00a0%"


def duration(ms: float) -> str:
    """Milliseconds, in seconds from ten of them on."""
    return f"{ms / 1000:.1f} s" if ms >= _LONG_MS else f"{ms:.1f} ms"


def format_name(name: str) -> str:
    """A file format as it writes itself."""
    return "NIfTI" if name == "nifti" else name.upper()


def words(name: str) -> str:
    """A field's or a label's name as it is read within a sentence."""
    return name.replace("_", " ")


def label_words(name: str) -> str:
    """A label's name as it is read: "necrotic_core" is "Necrotic core"."""
    return words(name).capitalize()
