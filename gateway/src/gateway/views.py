"""What the view models say of one picture: the plane, the novelty, and the features that a tumor model reads."""

from collections.abc import Sequence
from typing import Protocol

from gateway.clients.classifier import ViewAnswer, ViewFeatures
from gateway.findings import Pixels
from service_kit.contracts.common import ModelRef
from service_kit.errors import InvalidRequest, UpstreamFailed


class ViewClassifier(Protocol):
    """Which plane. `gateway.clients.classifier` has it over HTTP."""

    async def classify_view(self, pixels: Pixels, *, model: str | None = None) -> ViewAnswer:
        """`pixels [rows, columns]`."""


class Views:
    """The view models' answers on `pixels [rows, columns]`; each model runs at most once.

    The errors of `ViewClassifier` pass through.
    """

    def __init__(self, classifier: ViewClassifier, pixels: Pixels) -> None:
        self._classifier = classifier
        self._pixels = pixels
        self._default: ViewAnswer | None = None
        self._answers: dict[str, ViewAnswer] = {}

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """The models that ran, in the order in which they were asked."""
        return tuple(answer.model for answer in self._answers.values())

    async def ask(self, model: str | None) -> ViewAnswer:
        """The answer of the model of this name, or of the default."""
        known = self._default if model is None else self._answers.get(model)
        if known is not None:
            return known
        answer = await self._classifier.classify_view(self._pixels, model=model)
        if model is None:
            self._default = answer
        return self._answers.setdefault(answer.model.name, answer)

    async def measuring_novelty(self, model: str | None) -> ViewAnswer:
        """The answer of the model of this name, or of the default one where that does not measure novelty.

        The gate at the door must not open because another view model was asked for.
        """
        answer = await self.ask(model)
        return answer if answer.novelty is not None else await self.ask(None)

    async def features(self, sources: Sequence[str]) -> ViewFeatures | None:
        """The features that a tumor model reads: of the first of `sources` or of a variant of it, the others.

        A model that ran already is not passed over for one that did not. None where the tumor model reads none.

        Raises:
            UpstreamFailed: the services do not fit each other: no view model has this name, or it gives no features.
        """
        if not sources:
            return None
        name = next((name for name in sources if name in self._answers), sources[0])
        try:
            answer = await self.ask(name)
        except InvalidRequest as error:
            raise UpstreamFailed(
                f"The tumor model reads the features of the view model {name}, which is not served.", stage="view"
            ) from error
        if answer.features is None:
            raise UpstreamFailed(f"The tumor model reads the features of {name}, which gives none.", stage="view")
        return ViewFeatures(answer.features, sources[0])
