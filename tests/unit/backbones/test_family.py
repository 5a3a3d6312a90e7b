"""Names of layers, without torch, and the committed files of nodes against the installed torchvision."""

import subprocess
import sys

import pytest

from workflow_scripts.backbones import family, torchvision_family
from workflow_scripts.backbones.layers import POOLINGS, Layer, parse_layer
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError

TORCHVISION = torchvision_family.Torchvision()


@pytest.mark.parametrize(
    ("text", "node", "pooling"),
    [
        ("fc1", "fc1", "flat"),
        ("fire9_avg", "fire9", "avg"),
        ("block5_pool", "block5_pool", "flat"),
        ("block5_pool_gem", "block5_pool", "gem"),
        ("Mixed_7c.cat_2", "Mixed_7c.cat_2", "flat"),
        ("encoder.ln_cls", "encoder.ln", "cls"),
        ("avgpool_flat", "avgpool", "flat"),
        ("fire5_vlad", "fire5_vlad", "flat"),
        ("fire5_vlad0", "fire5_vlad0", "flat"),
    ],
)
def test_a_layers_name_is_its_node_and_its_pooling(text, node, pooling):
    assert parse_layer(text) == Layer(node, pooling)


def test_an_encoding_has_a_number_of_words():
    assert parse_layer("fire5_vlad16") == Layer("fire5", "vlad", words=16)
    assert parse_layer("fire5_fisher128") == Layer("fire5", "fisher", words=128)


def test_no_node_of_any_model_reads_as_a_pooling():
    ends = tuple(f"_{pooling}" for pooling in POOLINGS)
    assert not [
        node for model in torchvision_family.models() for node in TORCHVISION.nodes(model) if node.endswith(ends)
    ]


# The papers' layers and their widths, from the papers.
@pytest.mark.parametrize(
    ("model", "text", "width"),
    [
        ("vgg16", "fc1", 4096),
        ("vgg16", "fc2", 4096),
        ("vgg16", "block5_pool", 7 * 7 * 512),
        ("vgg16", "block5_conv3", 14 * 14 * 512),
        ("vgg16", "block5_pool_avg", 512),
        ("vgg19", "block5_conv4_avg", 512),
        ("squeezenet1_1", "fire9_avg", 512),
        ("squeezenet1_1", "conv10_avg", 1000),
        ("inception_v3", "pool", 2048),
        ("inception_v3", "logits", 1000),
        ("resnet50", "avgpool", 2048),
        ("resnet50", "layer3_avg", 1024),
        ("vit_b_16", "encoder.ln_cls", 768),
        ("swin_t", "features.7_avg", 768),
        ("convnext_tiny", "features.7_avg", 768),
    ],
)
def test_the_papers_layers_have_the_papers_widths(model, text, width):
    assert family.unknown_layer(model, text) is None
    assert family.layer_width(model, text) == width


def test_the_width_of_a_flat_layer_grows_with_the_image():
    assert family.layer_width("vgg16", "block5_pool", 448) == 14 * 14 * 512
    assert family.layer_width("vgg16", "fc1", 448) == 4096


def test_activations_are_after_their_relu():
    """In torchvision's VGG16 `features.28` is the last convolution, and `classifier.0` the first dense layer."""
    assert family.resolve_node("vgg16", "block5_conv3") == "features.29"
    assert family.resolve_node("vgg16", "fc1") == "classifier.1"
    assert family.resolve_node("vgg16_bn", "block1_conv1") == "features.2"


def test_a_module_means_the_last_node_inside_it():
    assert family.resolve_node("resnet50", "layer4") == "layer4.2.relu_2"


def test_every_alias_of_every_model_is_a_node():
    assert len(torchvision_family.models()) == 80
    for model in torchvision_family.models():
        assert set(TORCHVISION.aliases(model).values()) <= TORCHVISION.nodes(model).keys()


@pytest.mark.parametrize(
    ("model", "text", "says"),
    [
        ("vgg16", "block5_pol", "block5_pool"),
        ("vgg61", "fc1", "vgg16"),
        ("vgg16", "fc1_avg", "avg takes a map"),
        ("resnet50", "layer4_cls", "cls takes tokens"),
        (
            "timm:vit_small_patch14_reg4_dinov2",
            "norm_avg",
            "would mix class and register tokens in; allowed: cls, patch",
        ),
        ("timm:vit_base_patch16_siglip_224.webli", "norm_clspatch", "has none; allowed: patch"),
        ("timm:resnet18", "layer4_patch", "patch takes tokens"),
        ("timm:vit_tiny_patch16_224", "blocks.12_cls", "blocks.11"),
        ("timm:../../etc/passwd", "norm", "allowed: timm:NAME"),
    ],
)
def test_what_a_layer_cannot_be_is_one_line_with_the_nearest_names(model, text, says):
    line = family.unknown_layer(model, text)
    assert line is not None
    assert says in line
    assert "\n" not in line


def test_the_rules_import_nothing_heavy():
    heavy = "{'torch', 'torchvision', 'numpy', 'pandas', 'h5py', 'timm'}"
    width = "family.layer_width('timm:vit_tiny_patch16_224', 'norm_cls')"
    code = f"import sys; from workflow_scripts.backbones import family; {width}; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("model", ["squeezenet1_1", "vgg16", "resnet18", "swin_t", "vit_b_16"])
def test_the_node_files_are_up_to_date(model):
    generate_nodes = pytest.importorskip("workflow_scripts.backbones.generate_nodes")
    assert (torchvision_family.NODES / f"{model}.json").read_text() == generate_nodes.torchvision_content(model), (
        "run `python -m workflow_scripts.backbones.generate_nodes`"
    )


def test_the_weights_of_swag_are_those_for_which_torchvision_states_a_licence():
    for model in torchvision_family.models():
        known = torchvision.models.get_model_weights(model)
        for text in ("default", *known.__members__):
            restricted = "license" in known["DEFAULT" if text == "default" else text].meta
            assert (TORCHVISION.licence(model, text) is not None) == restricted, (model, text)


def test_list_layers_gives_sizes_on_disk():
    from workflow_scripts.backbones.list_layers import list_layers

    table = list_layers("vgg16", n_images=1000).set_index("layer")
    pool = table.loc["features.30"]
    assert (pool.alias, pool["shape"], pool.flat, pool.pooled) == ("block5_pool", "512 x 7 x 7", 25088, 512)
    assert pool.flat_mb == pytest.approx(100.4)  # 25 088 values of 4 bytes for 1000 images
    assert table.pooled.isna()["classifier.1"]


def test_list_layers_of_an_unknown_model():
    from workflow_scripts.backbones.list_layers import list_layers

    with pytest.raises(UserError, match="vgg16"):
        list_layers("vgg61", 1)
