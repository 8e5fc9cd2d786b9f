"""Networks: exported graphs compute what the networks compute, on fresh weights of several seeds."""

import copy
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from model_export.architectures.batchnorm import fold_batchnorm, restore_batchnorm
from model_export.architectures.mobilenet import SKIP_CHANNELS, MobileNetV2, SameConv, scaled
from model_export.architectures.t1 import T1Network, TumorHalf
from model_export.architectures.unet import Film
from model_export.engine import OnnxModel
from model_export.export.networks import NETWORKS, example_inputs
from model_export.export.onnx_graph import export_network, write_graph
from model_export.verify import compare

SIZES = {"view": 64, "tumor": 64, "seg-t1": 64, "seg-flair-film": 64}


def _lively(network: nn.Module, seed: int) -> nn.Module:
    """Batch norms as after training, so that folding them is tested too."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.weight.data, 0.8, 1.2),
                (module.bias.data, -0.2, 0.2),
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.7, 1.3),
            ):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return network.eval()


@pytest.mark.parametrize("name", list(SIZES))
def test_the_exported_graph_agrees_with_the_network(name: str, tmp_path: Path) -> None:
    torch.manual_seed(11)
    served = NETWORKS[name]
    network = served.serve(_lively(served.build(), 11)).eval()
    reference = copy.deepcopy(network)
    path = tmp_path / "model.onnx"
    export_network(network, example_inputs(name, SIZES[name], 2), path)
    batches = [example_inputs(name, SIZES[name], count, seed) for count, seed in ((1, 1), (5, 2), (3, 3))]
    parity = compare(reference, path, batches)
    assert parity.passed, parity
    graph = onnx.load(path, load_external_data=False)
    assert not [w for w in graph.graph.initializer if w.external_data]
    assert [spec.shape[0] for spec in OnnxModel(path).inputs()] == [-1] * len(network.input_names)


def test_a_wrong_graph_does_not_pass(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = NETWORKS["view"].build().eval()
    other = copy.deepcopy(network)
    path = tmp_path / "model.onnx"
    export_network(network, example_inputs("view", 64, 2), path)
    with torch.no_grad():
        other.head.bias += torch.tensor([1.0, 0.0, 0.0])
    assert not compare(other, path, [example_inputs("view", 64, 2)]).passed


def test_folding_batch_norm_keeps_the_function() -> None:
    torch.manual_seed(5)
    network = _lively(MobileNetV2(), 5)
    picture = torch.rand(2, 1, 64, 64) * 2 - 1
    expected = network(picture)
    folded = fold_batchnorm(network)
    assert not [m for m in folded.modules() if isinstance(m, nn.BatchNorm2d)]
    torch.testing.assert_close(folded(picture), expected, rtol=1e-3, atol=1e-4)


def test_restoring_batch_norm_keeps_the_function_and_measures_the_input() -> None:
    torch.manual_seed(6)
    network = MobileNetV2()
    pictures = torch.rand(16, 1, 64, 64) * 2 - 1
    network.eval()
    expected = network(pictures)
    restore_batchnorm(network, pictures)
    torch.testing.assert_close(network(pictures), expected, rtol=1e-3, atol=1e-4)
    first = network.features[0][1]
    measured = network.features[0][0](pictures).mean(dim=(0, 2, 3))
    torch.testing.assert_close(first.running_mean, measured, rtol=1e-4, atol=1e-5)


def test_one_gray_channel_equals_the_same_gray_in_all_three() -> None:
    torch.manual_seed(7)
    rgb = MobileNetV2(channels=3).eval()
    gray = MobileNetV2().eval()
    gray.load_imagenet(rgb.state_dict())
    picture = torch.rand(2, 1, 64, 64) * 2 - 1
    torch.testing.assert_close(gray(picture), rgb(picture.repeat(1, 3, 1, 1)), rtol=1e-4, atol=1e-5)


def test_the_map_is_where_the_pooled_evidence_lies() -> None:
    torch.manual_seed(8)
    network = T1Network().eval()
    image, features = example_inputs("tumor", 160, 2)
    logits, cam = TumorHalf(network)(image, features)
    assert cam.shape == (2, 4, 10, 10)
    _, evidence, outline = network.judge(image, features)
    assert outline.shape == (2, 1, 160, 160)
    pooled = evidence.exp().mean(dim=(2, 3)).log()
    torch.testing.assert_close(pooled + network.view_head(features), logits, rtol=1e-4, atol=1e-5)
    share = evidence.exp() / evidence.exp().sum(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(cam, share, rtol=1e-4, atol=1e-6)


def test_the_encoder_pyramid_has_the_strides_that_the_decoder_needs() -> None:
    maps = MobileNetV2(head=False).eval().pyramid(scaled(torch.zeros(1, 1, 96, 96, dtype=torch.uint8)))
    assert [(m.shape[1], 96 // m.shape[2]) for m in maps] == list(zip(SKIP_CHANNELS, (2, 4, 8, 16, 32), strict=True))


def test_film_starts_as_the_identity_and_then_listens() -> None:
    film, maps = Film(4, 6), torch.randn(2, 6, 3, 3)
    assert torch.equal(film(maps, torch.rand(2, 4)), maps)
    nn.init.normal_(film.affine.weight)
    assert not torch.equal(film(maps, torch.ones(2, 4)), film(maps, torch.zeros(2, 4)))


def test_a_file_with_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Identity", ["a"], ["b"])
    infos = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 2]) for n in "ab"]
    graph = onnx.helper.make_graph([node], "g", infos[:1], infos[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    with pytest.raises(ValueError, match="batch dimension is fixed"):
        write_graph(model, tmp_path / "m.onnx")
    assert np.array_equal(list(tmp_path.iterdir()), [])


@pytest.mark.parametrize("size", [8, 14])
def test_a_strided_channelwise_convolution_learns_what_it_computes_when_served(size: int) -> None:
    torch.manual_seed(1)
    layer, maps = SameConv(6, 6, 3, stride=2, groups=6), torch.randn(2, 6, size, size)
    learning = layer.train()(maps)
    assert learning.shape == (2, 6, size // 2, size // 2)
    torch.testing.assert_close(learning, layer.eval()(maps))
