"""The last blocks of a network are found, whatever its architecture."""

import pytest

from workflow_scripts.backbones.network import on_meta
from workflow_scripts.backbones.trained_parts import trained_parameters


@pytest.mark.parametrize(
    ("model", "trained", "first"),
    [
        ("squeezenet1_1", "head", "classifier.1.weight"),
        ("squeezenet1_1", 2, "features.11.squeeze.weight"),
        ("resnet18", 1, "layer4.1.conv1.weight"),
        ("vgg11", 1, "classifier.3.weight"),
        ("vit_b_16", 1, "encoder.layers.encoder_layer_11.ln_1.weight"),
        ("timm:test_vit", 1, "blocks.5.norm1.weight"),
        ("timm:convnext_atto", 1, "stages.3.downsample.0.weight"),
        ("squeezenet1_1", 99, "features.0.weight"),
        ("resnet18", "all", "conv1.weight"),
    ],
)
def test_the_last_blocks_alone_are_trained(model, trained, first):
    """All that comes behind the first trained block has gradients, and nothing before it."""
    net = on_meta(model)
    found = trained_parameters(net, trained)
    named = dict(net.named_parameters())
    expected = list(named)[list(named).index(first) :]
    assert [name for name, parameter in named.items() if parameter.requires_grad] == expected
    assert sum(parameter.numel() for parameter in found) == sum(named[name].numel() for name in expected)
