"""The models of all services, as one list; and one model with its card."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.roster import Lister
from gateway.schemas import ModelDetail, ModelList, ModelListing, UnavailableStage
from service_kit.contracts.common import StageName
from service_kit.contracts.models import ServedModel
from service_kit.errors import ModelInvalid, NotFound, NotReady, ServiceError


class ModelCatalog:
    """Asks each stage's service anew at every call: what is listed is what runs now.

    `models_dir` holds `<name>/card.json`; the models themselves need not be there.
    """

    def __init__(self, listers: Mapping[StageName, Lister], models_dir: Path | None) -> None:
        self._listers = dict(listers)
        self._models_dir = models_dir

    async def list(self) -> ModelList:
        """Every model; a service that gives no answer is named, and is no error."""
        answers = await asyncio.gather(*(self._ask(stage) for stage in self._listers))
        models = [_flat(model) for answer in answers if isinstance(answer, tuple) for model in answer]
        return ModelList(
            models=tuple(models),
            unavailable=tuple(answer for answer in answers if isinstance(answer, UnavailableStage)),
        )

    async def detail(self, name: str) -> ModelDetail:
        """One model.

        Raises:
            NotFound: no service serves a model of this name.
            NotReady: none of those that answer does, and some give no answer.
        """
        listing = await self.list()
        found = next((model for model in listing.models if model.name == name), None)
        if found is None:
            if listing.unavailable:
                stages = ", ".join(item.stage for item in listing.unavailable)
                raise NotReady(f"No service that answers has this model; no answer came for: {stages}.")
            raise NotFound(f"No such model; there are {', '.join(model.name for model in listing.models)}.")
        card = None if self._models_dir is None else await asyncio.to_thread(_card, self._models_dir / found.name)
        return ModelDetail(**dict(found), card=card)

    async def _ask(self, stage: StageName) -> tuple[ServedModel, ...] | UnavailableStage:
        try:
            return await self._listers[stage]()
        except ServiceError as error:
            return UnavailableStage(stage=stage, code=error.code, detail=error.detail)


def _flat(model: ServedModel) -> ModelListing:
    return ModelListing(
        **dict(model.ref),
        requested_provider=model.requested_provider,
        title=model.title,
        labels=model.labels,
        reads=model.reads,
        default=model.default,
        loaded=model.loaded,
        features_of=model.features_of,
        variant_of=model.variant_of,
        fallback=model.fallback,
        sequences=model.sequences,
        inputs=model.inputs,
        outputs=model.outputs,
    )


def _card(folder: Path) -> dict[str, Any] | None:
    path = folder / "card.json"
    try:
        card = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ModelInvalid(f"{folder.name}: the model card is not JSON.") from error
    if not isinstance(card, dict):
        raise ModelInvalid(f"{folder.name}: the model card is not a JSON object.")
    return card
