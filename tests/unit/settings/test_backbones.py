"""The settings of backbones (network, descriptor, table, joined); each mistake is one line with the key."""

import pytest

from workflow_scripts.errors import UserError
from workflow_scripts.settings import parse

CONFIG = {
    "preprocess": {"plain": ["grey", {"resize": {"size": [64, 64]}}]},
    "clusterers": {"kmeans": {"method": "kmeans"}},
    "baseline": {"preprocess": "plain", "backbone": "net", "layer": "fire9_avg", "clusterer": "kmeans"},
    "studies": {"main": {"figures": {}}},
}
NETWORK = {"model": "squeezenet1_1", "layers": [["fire9_avg"]]}


def parsed(backbone, others=(), **shared):
    return parse({**CONFIG, **shared, "backbones": {"net": NETWORK, **dict(others), "other": backbone}}).backbones[
        "other"
    ]


@pytest.mark.parametrize(
    ("trained", "words"),
    [
        ("head", "the last layer"),
        (1, "the last layer and the block before it"),
        (2, "the last layer and the 2 blocks before it"),
        ("all", "all layers"),
    ],
)
def test_the_methods_say_which_layers_are_trained(trained, words):
    backbone = parsed({**NETWORK, "weights": "random", "finetune": {"preprocess": "plain", "trained": trained}})
    assert f"after training of {words} on the labelled images" in backbone.prose


@pytest.mark.parametrize(
    "backbone", [{"descriptor": "lbp", "radii": [1, 2]}, {"descriptor": "hog"}, {"file": "features.npz"}]
)
def test_what_is_no_network_has_one_layer_and_no_weights(backbone):
    other = parsed(backbone, weights="random")
    assert other.passes == [["features"]]
    assert (other.pass_of("features"), other.pass_of("fire9_avg")) == (0, None)
    assert (other.weights, other.weight_file, other.finetune) == (None, None, None)
    assert backbone.items() <= other.network().items()
    assert other.makes_features == ("bring" if "file" in backbone else "describe")


def test_shared_weights_go_to_networks_alone():
    settings = parse({**CONFIG, "weights": "random", "backbones": {"net": NETWORK, "lbp": {"descriptor": "lbp"}}})
    assert settings.backbones["net"].weights == "random"
    assert settings.backbones["lbp"].weights is None


@pytest.mark.parametrize(
    ("backbone", "says"),
    [
        ({"descriptor": "lpb"}, "backbones.other: descriptor: found 'lpb', allowed: pixels, .* (did you mean lbp?)"),
        ({"descriptor": "lbp", "radius": 1}, "backbones.other: unknown key: found 'radius'"),
        ({"descriptor": "lbp", "layers": [["features"]]}, "backbones.other: unknown key: found 'layers'"),
        ({"descriptor": "hog", "cell": 1}, "backbones.other.cell: found 1"),
        ({"file": "features.txt"}, "backbones.other.file: found 'features.txt', allowed: a file that ends in .npz"),
        ({"model": "timm:vit_tiny_patch16_224", "layers": [["norm_avg"]]}, "allowed: cls, patch, clspatch, flat"),
        ({"layers": [["fire9_avg"]]}, "backbones.other.model: missing"),
        ({"join": {"net": "fire9_avg"}}, "backbones.other.join: found {'net': 'fire9_avg'}, allowed: 2 or more"),
        ({"join": {"net": "fire9_avg", "lbp": "features"}}, "backbones.other.join: found 'lbp', allowed: net"),
        ({"join": {"net": "fire9_avg", "other": "features"}}, "backbones.other.join: found 'other', allowed: net"),
        ({"join": {"net": "fire9_max", "lbp": "features"}}, "other.join.net: found 'fire9_max', allowed: fire9_avg"),
    ],
)
def test_each_mistake_is_one_line_with_the_key(backbone, says):
    with pytest.raises(UserError) as caught:
        parsed(backbone)
    for part in says.split(".*"):
        assert part.strip() in str(caught.value)
    assert "\n" not in str(caught.value)


def test_images_that_a_network_does_not_take_are_known_before_the_run():
    vit = {"model": "timm:vit_small_patch14_dinov2", "layers": [["norm_clspatch"]]}
    assert "size: 196 or 210 resizes" in str(parsed(vit).refuses((200, 200)))
    assert parsed({**vit, "size": 224}).refuses((200, 200)) is None
    assert parsed(vit).refuses((224, 224)) is None
    assert "2 cells" in str(parsed({"descriptor": "hog"}).refuses((32, 40)))


def test_an_orbit_needs_squares_and_eight_times_the_time():
    for given in ({"descriptor": "hog"}, NETWORK):
        plain, turned = parsed(given), parsed({**given, "orbit": True})
        assert (plain.n_views, turned.n_views) == (1, 8)
        assert plain.width(plain.passes[0][0], 96) == turned.width(turned.passes[0][0], 96)
        assert plain.refuses((96, 128)) is None
        assert "orbit turns square images, found 96 x 128" in str(turned.refuses((96, 128)))
        assert turned.refuses((96, 96)) is None
    assert parsed({**NETWORK, "orbit": True, "size": 96}).refuses((96, 128)) is None
    with pytest.raises(UserError, match="unknown key: found 'orbit'"):
        parsed({"file": "features.csv", "orbit": True})


def test_a_network_can_have_shards_which_are_no_part_of_its_settings():
    layers = [["fire5_avg", "fire9_avg"], ["fire5_avg+fire9_avg"]]
    plain, split = parsed({**NETWORK, "layers": layers}), parsed({**NETWORK, "layers": layers, "shards": 3})
    assert plain.shards_of("fire9_avg") == []
    assert split.shards_of("fire9_avg") == ["1-of-3", "2-of-3", "3-of-3"]
    assert split.shards_of("fire5_avg+fire9_avg") == []  # joined from stores that are whole
    assert split.network() == plain.network()
    for wrong in (0, 1001, 2.5, True):
        with pytest.raises(UserError, match=r"backbones\.other(\.|: )shards: found .*, allowed: "):
            parsed({**NETWORK, "shards": wrong})
    with pytest.raises(UserError, match="unknown key: found 'shards'"):
        parsed({"descriptor": "hog", "shards": 2})


def test_a_pyramid_needs_pooled_layers_and_sizes_that_the_network_takes():
    pyramid = parsed({**NETWORK, "pyramid": [1, 0.5]})
    assert pyramid.n_views == 1.25
    assert parsed({**NETWORK, "pyramid": [1, 0.5], "orbit": True}).n_views == 10
    assert pyramid.refuses((96, 96)) is None
    flat = parsed({**NETWORK, "layers": [["fire9_vlad4", "fire9"]], "pyramid": [1, 0.5]})
    assert str(flat.refuses((96, 128))).startswith("pyramid: fire9 has another number of features at each scale")
    vit = parsed(
        {"model": "timm:vit_tiny_patch16_224", "weights": "random", "layers": [["norm_cls"]], "pyramid": [1, 0.5]}
    )
    assert "is built for images of one size" in str(vit.refuses((224, 224)))
    torchvisions = {"model": "vit_b_16", "weights": "random", "layers": [["encoder.ln_cls"]], "pyramid": [1, 0.5]}
    assert parsed(torchvisions).refuses((224, 224))
    for wrong in ([], [2], [0]):
        with pytest.raises(UserError, match="pyramid"):
            parsed({**NETWORK, "pyramid": wrong})


def test_scores_of_imagenets_classes_are_those_of_a_trained_last_layer_in_the_same_pass():
    layers = [["fire9_avg", "logits"], ["fire5_avg"], ["fire5_avg+fire9_avg"]]
    network = parsed({**NETWORK, "layers": layers})
    assert network.class_scores_beside("fire9_avg") == "logits"
    assert network.class_scores_beside("fire5_avg+fire9_avg") == "logits"
    assert network.class_scores_beside("fire5_avg") is None
    assert parsed({**NETWORK, "layers": layers, "weights": "random"}).class_scores_beside("fire9_avg") is None
    assert parsed(NETWORK).class_scores_beside("fire9_avg") is None
    clip = {"model": "timm:vit_base_patch16_clip_224.openai", "layers": [["logits", "norm_cls"]]}
    assert parsed(clip).class_scores_beside("norm_cls") is None
    assert parsed({"descriptor": "hog"}).class_scores_beside("features") is None


def test_joined_features_are_as_wide_as_all_their_parts_and_new_images_need_every_part():
    others = {
        "big": {**NETWORK, "size": 64, "orbit": True, "layers": [["fire9"]]},
        "hog": {"descriptor": "hog", "cell": 16},
    }
    both = parsed({"join": {"hog": "features", "big": "fire9", "net": "fire9_avg"}}, others)
    assert both.passes == [["features"]]
    assert both.width("features", 96) == (96 // 16 - 1) ** 2 * 36 + 512 * 3 * 3 + 512
    assert both.n_views == 1 + 8 + 1
    assert both.places_new_images
    assert "joining features of hog, fire9 of big and fire9_avg of net, each divided" in both.prose
    mine = {"mine": {"file": "features.npz"}}
    assert not parsed({"join": {"mine": "features", "net": "fire9_avg"}}, mine).places_new_images


def test_a_model_has_no_features_of_another_program():
    assert parsed(NETWORK).places_new_images
    assert parsed({"descriptor": "hog"}).places_new_images
    assert not parsed({"file": "features.npz"}).places_new_images
