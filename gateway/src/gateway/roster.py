"""Which models there are to choose from, by the services' own lists: asked now and then, not at every request."""

import time
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet

from gateway.errors import InvalidOptions
from service_kit.contracts.common import Sequence, StageName
from service_kit.contracts.models import ServedModel
from service_kit.contracts.sequences import needs, sources
from service_kit.errors import ServiceError, UpstreamFailed

Lister = Callable[[], Awaitable[tuple[ServedModel, ...]]]


class ModelRoster:
    """The models of each stage, as its service listed them at most `keep_s` ago.

    A name that is not on the list is looked for in a fresh one before it is refused.
    """

    def __init__(
        self,
        listers: Mapping[StageName, Lister],
        *,
        keep_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listers = dict(listers)
        self._keep_s = keep_s
        self._clock = clock
        self._lists: dict[StageName, tuple[float, tuple[ServedModel, ...]]] = {}

    async def check(
        self,
        named: Mapping[StageName, str],
        present: AbstractSet[Sequence] | None = None,
        *,
        volume: bool = False,
    ) -> None:
        """Refuse names that cannot be followed, before anything runs. A stage that gives no list is not checked.

        `present` are the sequences that were sent, where an outline may be wanted of them. Of a `volume` a model that
        reads volumes makes it, which can do without some of its sequences, or one that reads slices, one by one.

        Raises:
            InvalidOptions: naming the stage and the models that it has, or what the model reads.
        """
        for stage, name in named.items():
            try:
                model = await self._named(stage, name, volume=volume)
            except InvalidOptions:
                raise
            except ServiceError:  # the stage itself will say so, or be done without
                continue
            if stage == "segmentation":
                await self._check_outliner(model, present, volume=volume)

    async def _check_outliner(self, model: ServedModel, present: AbstractSet[Sequence] | None, *, volume: bool) -> None:
        name, reads_volumes = model.ref.name, model.reads == "volumes"
        if reads_volumes and not volume:
            others = ", ".join(one.ref.name for one in await self._models("segmentation") if one.reads == "slices")
            raise InvalidOptions(
                f"options: models: {name} reads volumes, and a slice was sent; choose one of {others}.",
                stage="segmentation",
            )
        if present is None:
            return
        fed = present & set(model.sequences) if reads_volumes else sources(model.sequences, model.fallback, present)
        if not fed:
            wanted = " or ".join(model.sequences) if reads_volumes else needs(model.sequences, model.fallback)
            raise InvalidOptions(
                f"options: models: {name} reads {wanted}; {', '.join(sorted(present))} was sent.", stage="segmentation"
            )

    async def volume_models(self) -> tuple[str, ...]:
        """The segmentation models that read volumes, the default one first; none where the service gives no list."""
        try:
            models = await self._models("segmentation")
        except ServiceError:  # the stage itself will say so
            return ()
        return tuple(model.ref.name for model in models if model.reads == "volumes")

    async def view_models_of(self, tumor: str | None) -> tuple[str, ...]:
        """The view model whose features the tumor model of this name (or the default) reads, then its variants.

        Empty for a tumor model that reads none.

        Raises:
            InvalidOptions: there is no such tumor model.
            NotReady, Overloaded, DeadlineExceeded, UpstreamFailed: a service gave no list.
        """
        model = (await self._models("tumor"))[0] if tumor is None else await self._named("tumor", tumor)
        source = model.features_of
        if source is None:
            return ()
        variants = (view.ref.name for view in await self._models("view") if view.variant_of == source)
        return (source, *variants)

    async def _named(self, stage: StageName, name: str, *, volume: bool = False) -> ServedModel:
        for fresh in (False, True):
            models = await self._models(stage, fresh=fresh)
            found = next((model for model in models if model.ref.name == name), None)
            if found is not None:
                return found
        names = ", ".join(model.ref.name for model in models if volume or model.reads == "slices")
        raise InvalidOptions(
            f"options: models: no such model for the stage {stage}; choose one of {names}.", stage=stage
        )

    async def _models(self, stage: StageName, *, fresh: bool = False) -> tuple[ServedModel, ...]:
        listed_at, models = self._lists.get(stage, (0.0, ()))
        now = self._clock()
        if fresh or not models or now - listed_at > self._keep_s:
            models = await self._listers[stage]()
            if not models:
                raise UpstreamFailed(f"The service of the stage {stage} lists no model for it.", stage=stage)
            self._lists[stage] = (now, models)
        return models
