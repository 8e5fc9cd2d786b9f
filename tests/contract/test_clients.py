"""The gateway's clients and the services hold one contract."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

import classifier_service.app
from classifier_service.settings import ClassifierSettings
from gateway.clients.classifier import ClassifierClient, ViewAnswer, ViewFeatures
from gateway.clients.metadata import MetadataClient
from gateway.clients.segmenter import SegmenterClient
from gateway.clients.upstream import Upstream
from gateway.errors import InvalidClinicalRecord
from service_kit.deadline import deadline
from service_kit.errors import InvalidRequest, UpstreamFailed
from service_kit.inference.factory import InferenceSettings
from service_kit.testing import running_app
from tests.contract.conftest import Services
from tests.unit.gateway_imaging import pictures

SLICE: NDArray[np.uint8] = pictures.gray8(120, 96)
DEEP: NDArray[np.float32] = pictures.gray16(96, 120).astype(np.float32)


@dataclass(frozen=True)
class Clients:
    classifier: ClassifierClient
    segmenter: SegmenterClient
    metadata: MetadataClient


@pytest.fixture
async def clients(services: Services) -> AsyncIterator[Clients]:
    async with services.client() as http:
        classifier = Upstream(http, "http://classifier", service="classifier", timeout_s=30)
        yield Clients(
            ClassifierClient(classifier, classifier),
            SegmenterClient(Upstream(http, "http://segmenter", service="segmenter", timeout_s=30)),
            MetadataClient(Upstream(http, "http://metadata", service="metadata service", timeout_s=30)),
        )


def features(view: ViewAnswer) -> ViewFeatures:
    assert view.features is not None
    return ViewFeatures(view.features, view.model.name)


@pytest.mark.parametrize("pixels", [SLICE, DEEP], ids=["uint8", "float32"])
async def test_a_slice_is_classified(clients: Clients, pixels: NDArray[np.uint8] | NDArray[np.float32]) -> None:
    view = await clients.classifier.classify_view(pixels)
    assert view.model.stage == "view"
    assert features(view).values.shape == (128,)
    assert view.view.label == max(view.view.probabilities, key=view.view.probabilities.__getitem__)
    answer = await clients.classifier.classify_tumor(pixels, features(view))
    assert answer.model.stage == "tumor"
    assert sum(answer.tumor.probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert answer.saliency is not None
    assert answer.saliency.values.min() >= 0
    assert answer.saliency.values.max() <= 1
    top, left, height, width = answer.saliency.extent
    assert top < pixels.shape[0]
    assert left < pixels.shape[1]
    assert min(height, width) > 0
    if answer.tumor.label != "no_tumor":
        assert answer.saliency.label == answer.tumor.label
    assert answer.saliency.label != "no_tumor"


async def test_a_heat_map_comes_only_when_it_is_asked_for(clients: Clients) -> None:
    view = await clients.classifier.classify_view(SLICE)
    answer = await clients.classifier.classify_tumor(SLICE, features(view), heatmap=False)
    assert answer.saliency is None


@pytest.mark.parametrize("pixels", [SLICE, DEEP], ids=["uint8", "float32"])
async def test_the_mask_is_on_the_grid_that_was_sent(
    clients: Clients, pixels: NDArray[np.uint8] | NDArray[np.float32]
) -> None:
    answer = await clients.segmenter.segment({"t1ce": pixels})
    assert answer.mask.shape == pixels.shape
    assert answer.mask.dtype == np.bool_
    assert answer.result.labels == {"tumor": np.count_nonzero(answer.mask)}
    assert answer.result.model.name == "seg-t1"
    assert not answer.result.clinical_used


async def test_a_clinical_vector_of_the_metadata_service_fits_the_segmenter(clients: Clients) -> None:
    vector = await clients.metadata.normalize({"age": 44, "sex": "female"})
    answer = await clients.segmenter.segment({"flair": SLICE, "t1": SLICE}, vector, always_read=True)
    assert answer.result.model.name == "seg-flair-film"
    assert answer.result.clinical_used
    assert answer.result.substituted.keys() == {"t1ce"}


async def test_records_are_normalized(clients: Clients) -> None:
    empty = await clients.metadata.normalize({})
    assert empty.imputed
    young = await clients.metadata.normalize({"birthDate": "1990-04-01", "studyDate": "2020-04-02", "gender": "male"})
    old = await clients.metadata.normalize({"age": 70, "sex": "male"})
    assert list(young.features) == list(old.features) == list(empty.features)
    assert young.features["age"] < old.features["age"]
    assert young.model.stage == "clinical"


@pytest.mark.parametrize(
    "record",
    [{"age": 300}, {"age": "sixty"}, {"laterality": "left"}, {"tumor_location": "frontal"}, {"shoe_size": 44}],
)
async def test_a_refused_record_names_its_fields(clients: Clients, record: dict[str, object]) -> None:
    with pytest.raises(InvalidClinicalRecord) as caught:
        await clients.metadata.normalize(record)
    named = caught.value.detail + str(caught.value.errors)
    assert next(iter(record)) in named
    assert "sixty" not in named


async def test_unknown_models_are_the_callers_mistake(clients: Clients) -> None:
    with pytest.raises(InvalidRequest, match="choose one of"):
        await clients.classifier.classify_view(SLICE, model="vgg16")
    with pytest.raises(InvalidRequest):
        await clients.segmenter.segment({"t1ce": SLICE}, model="nnunet")


async def test_what_the_services_would_refuse_is_our_fault(clients: Clients) -> None:
    for wrong in (ViewFeatures(np.zeros(3, np.float32), "view"), ViewFeatures(np.zeros(128, np.float32), "other")):
        with pytest.raises(UpstreamFailed):
            await clients.classifier.classify_tumor(SLICE, wrong)


async def test_every_stage_lists_its_models(clients: Clients) -> None:
    listed = {
        "view": await clients.classifier.models("view"),
        "tumor": await clients.classifier.models("tumor"),
        "segmentation": await clients.segmenter.models(),
        "clinical": await clients.metadata.models(),
    }
    for stage, models in listed.items():
        assert models, stage
        assert {model.ref.stage for model in models} == {stage}
    defaults = [model for model in listed["segmentation"] if model.default]
    assert [model.ref.name for model in defaults if model.reads == "slices"] == ["seg-flair-film", "seg-t1"]
    assert await clients.classifier.ready() == {"view": True, "tumor": True}
    assert await clients.segmenter.ready()
    assert await clients.metadata.ready()


async def test_a_call_with_time_left_is_answered(clients: Clients) -> None:
    with deadline(20):
        assert features(await clients.classifier.classify_view(SLICE)).values.shape == (128,)


async def test_a_deployment_without_the_task_is_our_fault(tiny_models: Path) -> None:
    settings = ClassifierSettings(tasks=("view",), inference=InferenceSettings(models_dir=tiny_models))
    async with running_app(classifier_service.app.create_app(settings)) as http:
        only_view = Upstream(http, "http://service", service="view classifier", timeout_s=30)
        client = ClassifierClient(only_view, only_view)
        view = await client.classify_view(SLICE)
        with pytest.raises(UpstreamFailed):
            await client.classify_tumor(SLICE, features(view))


async def test_a_service_that_is_not_there_is_not_ready(tiny_services: Services) -> None:
    async with tiny_services.client(down=("http://metadata",)) as http:
        assert isinstance(http, httpx.AsyncClient)
        assert not await MetadataClient(Upstream(http, "http://metadata", service="m", timeout_s=5)).ready()
