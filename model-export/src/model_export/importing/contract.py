"""The network behind the contract's signature: `image` uint8 in, `logits` or `probabilities` out."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_export.importing.faults import ImportFault
from model_export.importing.request import TUMOR, Ending, ImportRequest
from model_export.importing.source import SourceNetwork

_LEAST = 1e-7
_CLOSE = 1e-3
# ImageNet's mean and spread of red, green and blue, of values 0..1; and the mean of blue, green and red of 0..255.
_IMAGENET_MEAN, _IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)


@dataclass(frozen=True, slots=True)
class Shift:
    """`(gray - offset) / divisor` for each channel of the network."""

    offset: tuple[float, ...]
    divisor: tuple[float, ...]


def shift_of(request: ImportRequest) -> Shift:
    """What `scaling` means for gray values 0..255. One channel takes the mean of the three colors' numbers."""
    count = request.channels
    if request.scaling == "0..1":
        return Shift((0.0,) * count, (255.0,) * count)
    if request.scaling == "-1..1":
        return Shift((127.5,) * count, (127.5,) * count)
    if request.scaling == "none":
        return Shift((0.0,) * count, (1.0,) * count)
    if request.scaling == "imagenet":
        mean, spread = _of_channels(_IMAGENET_MEAN, count), _of_channels(_IMAGENET_SPREAD, count)
        return Shift(tuple(255.0 * m for m in mean), tuple(255.0 * s for s in spread))
    return Shift(_of_channels(_CAFFE_MEAN, count), (1.0,) * count)


def prepared(images: NDArray[np.uint8], request: ImportRequest, source: SourceNetwork) -> NDArray[np.float32]:
    """`images [N, C, S, S]` as the network's own code would be handed them: the reference that the graph must meet."""
    shift = shift_of(request)
    picture = np.repeat(images, request.channels // images.shape[1], axis=1).astype(np.float64)
    offset, divisor = (np.array(values)[None, :, None, None] for values in (shift.offset, shift.divisor))
    scaled = ((picture - offset) / divisor).astype(np.float32)
    return np.ascontiguousarray(scaled.transpose(0, 2, 3, 1) if source.layout == "NHWC" else scaled)


def find_ending(source: SourceNetwork, request: ImportRequest, answer: NDArray[np.float32]) -> Ending:
    """What the network ends in: as told, as the network says, or as its answers to pictures show.

    Raises:
        ImportFault: it ends in one sigmoid a class, whose values are no distribution.
    """
    ending = request.ends_in or source.ending
    single = _classes(answer, source, request) == 1
    if ending is None:
        inside = bool(answer.min() >= 0.0 and answer.max() <= 1.0)
        totals = answer.sum(axis=_class_axis(source, request))
        if not inside:
            ending = "logits"
        elif single:
            ending = "sigmoid"
        else:
            ending = "softmax" if np.allclose(totals, 1.0, atol=_CLOSE) else "logits"
    if ending == "sigmoid" and not single:
        raise ImportFault(
            f"the network ends in {len(request.labels)} sigmoids, which are no distribution; end it in softmax, or "
            "drop the activation and say --ends-in logits"
        )
    if ending == "softmax" and single:
        raise ImportFault("the network ends in a softmax over one value, which is always 1; end it in a sigmoid")
    return ending


def check_outputs(answers: tuple[NDArray[np.float32], ...], source: SourceNetwork, request: ImportRequest) -> None:
    """Compare the shapes of the network's answers with what the stage needs.

    Raises:
        ImportFault: naming the shape that was found and the one that is wanted.
    """
    most = 2 if request.stage == "view" else 1
    if len(answers) > most:
        raise ImportFault(
            f"the network has {len(answers)} outputs, a {request.stage} model has {most}; drop the others"
        )
    first = answers[0]
    if request.stage == "segmentation":
        sides = first.shape[1:3] if source.layout == "NHWC" else first.shape[2:4]
        if first.ndim != 4 or sides != (request.size, request.size):
            raise ImportFault(
                f"the output is {list(first.shape)}; a segmenter answers one value a pixel at {request.size} px"
            )
    elif first.size != len(first) * first.shape[1 if source.layout == "NCHW" else -1]:
        raise ImportFault(f"the output is {list(first.shape)}; a classifier answers one value a class")
    count = _classes(first, source, request)
    wanted = {len(request.labels)} | ({1} if len(request.labels) == 2 else set())
    if count not in wanted:
        raise ImportFault(
            f"the network answers {count} values, --labels names {len(request.labels)} ({', '.join(request.labels)}); "
            "name one label an output, in the network's order"
        )
    if len(answers) == 2 and answers[1].reshape(len(answers[1]), -1).shape[1] < 2:
        raise ImportFault("the second output of a view model is its features: a vector for each picture")


class ContractNetwork(nn.Module):
    """Scales and lays out the picture, runs the network, and gives the contract's outputs.

    Classifiers: `logits [N, labels]`; where the network ends in softmax or a sigmoid they are the logarithms of its
    probabilities, whose softmax gives them back. Segmenters: `probabilities [N, 1, S, S]` of the tumor. It never
    trains: asking for either mode changes nothing.
    """

    offset: Tensor
    divisor: Tensor

    def __init__(self, source: SourceNetwork, request: ImportRequest, ending: Ending, *, features: bool) -> None:
        super().__init__()
        self.input_names = ("image", "view_features") if source.reads_features else ("image",)
        self.output_names: tuple[str, ...] = ("logits", "features") if features else ("logits",)
        if request.stage == "segmentation":
            self.output_names = ("probabilities",)
        self.network = source.module
        self._request, self._ending, self._layout = request, ending, source.layout
        shift = shift_of(request)
        self.register_buffer("offset", torch.tensor(shift.offset).reshape(1, -1, 1, 1))
        self.register_buffer("divisor", torch.tensor(shift.divisor).reshape(1, -1, 1, 1))

    def train(self, mode: bool = True) -> "ContractNetwork":  # noqa: ARG002 - a loaded program has one mode
        """Stay as it is."""
        return self

    def forward(self, image: Tensor, view_features: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """Gray values `[N, C, S, S]` uint8 (and features `[N, K]`) -> the outputs named in `output_names`."""
        picture = image.to(torch.float32)
        if self._request.channels > self._request.picture_channels:
            picture = picture.repeat(1, self._request.channels, 1, 1)
        picture = (picture - self.offset) / self.divisor
        if self._layout == "NHWC":
            picture = picture.permute(0, 2, 3, 1)
        found = self.network(picture) if view_features is None else self.network(picture, view_features)
        answers = list(found) if isinstance(found, list | tuple) else [found]
        if self._request.stage == "segmentation":
            return self._mask(answers[0])
        logits = self._logits(answers[0].flatten(1))
        return (logits, answers[1].flatten(1)) if len(self.output_names) == 2 else logits

    def _logits(self, answer: Tensor) -> Tensor:
        if self._ending == "softmax":
            return torch.log(answer.clamp(min=_LEAST))
        if answer.shape[1] > 1:
            return answer
        if self._ending == "sigmoid":
            return torch.log(torch.cat([1.0 - answer, answer], dim=1).clamp(min=_LEAST))
        return torch.cat([torch.zeros_like(answer), answer], dim=1)

    def _mask(self, answer: Tensor) -> Tensor:
        planes = answer.permute(0, 3, 1, 2) if self._layout == "NHWC" else answer
        if planes.shape[1] == 1:
            return torch.sigmoid(planes) if self._ending == "logits" else planes
        classes = torch.softmax(planes, dim=1) if self._ending == "logits" else planes
        position = self._request.labels.index(TUMOR)
        return classes[:, position : position + 1]


def expected(
    answer: NDArray[np.float32], source: SourceNetwork, request: ImportRequest, ending: Ending
) -> NDArray[np.float64]:
    """The probabilities that the network itself gives: `[N, labels]`, or `[N, 1, S, S]` of the tumor. In float64."""
    values = answer.astype(np.float64)
    if request.stage == "segmentation":
        values = values.transpose(0, 3, 1, 2) if source.layout == "NHWC" else values
    else:
        values = values.reshape(len(values), -1)
    if values.shape[1] == 1:
        tumor = 1.0 / (1.0 + np.exp(-values)) if ending == "logits" else values
        return tumor if request.stage == "segmentation" else np.concatenate([1.0 - tumor, tumor], axis=1)
    if ending == "logits":
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        values = powers / powers.sum(axis=1, keepdims=True)
    if request.stage == "segmentation":
        position = request.labels.index(TUMOR)
        return np.asarray(values[:, position : position + 1])
    return values


def _class_axis(source: SourceNetwork, request: ImportRequest) -> int:
    return -1 if request.stage == "segmentation" and source.layout == "NHWC" else 1


def _classes(answer: NDArray[np.float32], source: SourceNetwork, request: ImportRequest) -> int:
    if request.stage == "segmentation":
        return int(answer.shape[_class_axis(source, request)])
    return answer.size // max(1, len(answer))


def _of_channels(colors: tuple[float, ...], count: int) -> tuple[float, ...]:
    return colors if count == len(colors) else (sum(colors) / len(colors),) * count
