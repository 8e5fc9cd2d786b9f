"""Finished analyses to read: each is made through the API when a test first asks for it, once a run."""

from functools import cached_property

from tests.bench.volume import SEQUENCES
from tests.integration.made_heads import Heads
from tests.page.pictures import faint_lesion, magnified_dicom
from tests.page.stack import SAMPLES, Json, Stack


class Exams:
    """Of bundled samples, and of made volumes."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    @cached_property
    def glioma(self) -> Json:
        """A slice with a glioma, answered."""
        return self._stack.analyzed("axial-glioma.png", clinical={"age": 54})

    @cached_property
    def explained(self) -> Json:
        """The same by the model that reads the record, with what the record does to the outline."""
        options = {"explain_metadata": True, "sequence": "flair"}
        return self._stack.analyzed("axial-glioma.png", clinical={"age": 54, "sex": "female"}, options=options)

    @cached_property
    def glioma_dicom(self) -> Json:
        """The same slice as DICOM: its spacing is known."""
        return self._stack.analyzed("axial-glioma.dcm")

    @cached_property
    def followup_dicom(self) -> Json:
        """And once more, so that there is a pair to compare."""
        return self._stack.analyzed("axial-glioma.dcm")

    @cached_property
    def grown_dicom(self) -> Json:
        """The DICOM sample magnified, as if the lesion had grown."""
        return self._stack.sent([("file", ("later.dcm", magnified_dicom(1.12)))])

    @cached_property
    def meningioma(self) -> Json:
        return self._stack.analyzed("coronal-meningioma.png")

    @cached_property
    def no_tumor(self) -> Json:
        return self._stack.analyzed("axial-no_tumor.png")

    @cached_property
    def refused(self) -> Json:
        """Of the detector, which excludes neither of its labels: the verdict is that there is no answer."""
        return self._stack.sent(
            [("file", ("faint.png", faint_lesion()))], options={"models": {"tumor": "detector-cnn"}}
        )

    @cached_property
    def volume(self) -> Json:
        """A small made head of four sequences, outlined in 3D."""
        return self._sent_head()

    @cached_property
    def sample_volume(self) -> Json:
        """The bundled volume."""
        folder = SAMPLES / "volume"
        return self._stack.analyzed(
            *(f"volume/{name}.nii.gz" for name in SEQUENCES if (folder / f"{name}.nii.gz").exists())
        )

    @cached_property
    def followup_volume(self) -> Json:
        """The same head again."""
        return self._sent_head()

    @cached_property
    def _head(self) -> Heads:
        return Heads()

    def _sent_head(self) -> Json:
        parts = [(name, (filename, content)) for name, (filename, content, _) in self._head.small]
        return self._stack.sent(parts, options={"segment": "always"})
