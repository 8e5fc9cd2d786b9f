"""Which model segments, and which sequence feeds each of its channels."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from service_kit.contracts.common import Sequence
from service_kit.contracts.sequences import needs, sources
from service_kit.errors import InvalidRequest
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.served import StageModels


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and `sources`: the sequence at hand for each channel, in the model's order."""

    backend: InferenceBackend
    sources: tuple[Sequence, ...]

    @property
    def substituted(self) -> dict[str, str]:
        """Channels fed by another sequence than the one that they were trained on."""
        channels = self.backend.manifest.sequences
        return {channel: source for channel, source in zip(channels, self.sources, strict=True) if channel != source}

    @property
    def reference(self) -> Sequence:
        """The sequence that the slices are placed by: FLAIR, as in training, or else the first channel's."""
        return "flair" if "flair" in self.sources else self.sources[0]


def choose_model(models: StageModels, present: AbstractSet[Sequence], name: str | None) -> ModelChoice:
    """The model called `name`, or the first of the defaults that the sequences `present` can feed.

    Raises:
        InvalidRequest: no such model, or none that these sequences can feed.
    """
    candidates = models.defaults if name is None else (models.choose(name),)
    for backend in candidates:
        found = sources(backend.manifest.sequences, backend.manifest.fallback, present)
        if found is not None:
            return ModelChoice(backend, found)
    wanted = "; ".join(
        f"{manifest.name} reads {needs(manifest.sequences, manifest.fallback)}"
        for manifest in (backend.manifest for backend in candidates)
    )
    raise InvalidRequest(f"{', '.join(sorted(present))} cannot be segmented: {wanted}", stage=models.stage)
