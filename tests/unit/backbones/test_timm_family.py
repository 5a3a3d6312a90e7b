"""Networks of timm with random weights: names, widths, sizes of images, and tokens against plain hooks."""

import json

import numpy as np
import pytest
import torch

from workflow_scripts.backbones import family, generate_nodes, timm_family, weights
from workflow_scripts.backbones.forward import prepare
from workflow_scripts.backbones.normalisation import Normalisation
from workflow_scripts.errors import UserError

CPU = torch.device("cpu")


# Patches by the papers: side / patch, squared; class and register tokens in front; channels.
@pytest.mark.parametrize(
    ("model", "size", "layer", "width"),
    [
        ("timm:vit_small_patch14_dinov2.lvd142m", 224, "norm", (1 + 16 * 16) * 384),
        ("timm:vit_small_patch14_reg4_dinov2.lvd142m", 224, "norm", (1 + 4 + 16 * 16) * 384),
        ("timm:vit_small_patch14_reg4_dinov2.lvd142m", 518, "norm", (1 + 4 + 37 * 37) * 384),
        ("timm:vit_base_patch14_dinov2.lvd142m", 224, "norm_clspatch", 2 * 768),
        ("timm:vit_small_patch16_dinov3.lvd1689m", 224, "norm", (1 + 4 + 14 * 14) * 384),
        ("timm:vit_small_patch16_dinov3.lvd1689m", 224, "blocks.11_patch", 384),
        ("timm:convnext_tiny.dinov3_lvd1689m", 224, "stages.3_avg", 768),
        ("timm:convnext_tiny.dinov3_lvd1689m", 448, "stages.3", 768 * 14 * 14),
        ("timm:vit_base_patch16_clip_224.openai", 224, "norm_cls", 768),
        ("timm:vit_base_patch16_siglip_224.webli", 224, "norm_avg", 768),
        ("timm:vit_base_patch16_siglip_224.webli", 224, "attn_pool", 768),
        ("timm:fastvit_mci0.apple_mclip", 256, "final_conv_avg", 1024),
        ("timm:fastvit_mci0.apple_mclip", 256, "logits", 512),
        ("timm:mobilenetv4_conv_small.e2400_r224_in1k", 224, "conv_head", 1280),
        ("timm:vit_tiny_patch16_224.augreg_in21k_ft_in1k", 224, "norm_patch", 192),
        ("timm:tf_efficientnet_lite0.in1k", 224, "bn2_avg", 1280),
    ],
)
def test_widths_are_known_before_the_run(model, size, layer, width):
    assert family.unknown_layer(model, layer) is None
    assert family.layer_width(model, layer, size) == width


def test_the_committed_files_are_up_to_date():
    for name in ("vit_tiny_patch16_224", "resnet18"):
        assert (timm_family.NODES / f"{name}.json").read_text() == generate_nodes.timm_content(name)
    assert {path.stem for path in timm_family.NODES.glob("*.json")} == set(generate_nodes.TIMM_MODELS)


def test_a_model_without_a_committed_file_is_described_once(tmp_path, monkeypatch):
    monkeypatch.setattr(timm_family, "CACHE", tmp_path)
    timm_family._facts.cache_clear()
    assert family.layer_width("timm:resnet10t", "layer4_avg", 224) == 512  # its last stage, as of every small ResNet
    (cached,) = tmp_path.rglob("resnet10t.json")
    assert json.loads(cached.read_text())["input_size"] == 176
    assert "timm has no model 'resnet10x'" in str(family.unknown_layer("timm:resnet10x", "layer4"))


def images(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("model", "side", "prefix"),
    [
        ("timm:vit_small_patch14_dinov2", 224, 1),
        ("timm:vit_small_patch14_reg4_dinov2", 224, 5),
        ("timm:vit_small_patch16_dinov3", 224, 5),
        ("timm:vit_tiny_patch16_224", 112, 1),
    ],
)
def test_tokens_are_pooled_as_a_hook_on_the_network_sees_them(model, side, prefix):
    layers = ["norm_cls", "norm_patch", "norm_clspatch", "norm_clspatch_l2", "norm", "blocks.3_cls"]
    forward, loaded = prepare({"model": model, "weights": "random"}, layers, (side, side), CPU)
    seen = {}
    for name in ("norm", "blocks.3"):
        module = loaded.network.get_submodule(name)
        module.register_forward_hook(lambda _, __, output, name=name: seen.__setitem__(name, output.numpy()))
    with torch.inference_mode():
        loaded.network(loaded.normalisation.prepare(images(side), None, CPU))
    tokens = seen["norm"]
    assert tokens.shape[1] == prefix + (side // int(model.split("patch")[1][:2])) ** 2
    cls, patch = tokens[:, 0], tokens[:, prefix:].mean(1)
    joined = np.concatenate([cls, patch], axis=1)
    expected = {
        "norm_cls": cls,
        "norm_patch": patch,
        "norm_clspatch": joined,
        "norm_clspatch_l2": joined / np.linalg.norm(joined),
        "norm": tokens.reshape(1, -1),
        "blocks.3_cls": seen["blocks.3"][:, 0],
    }
    found = forward(images(side))
    assert forward.widths((side, side, 3)) == {layer: family.layer_width(model, layer, side) for layer in layers}
    for layer, values in expected.items():
        np.testing.assert_allclose(found[layer], values, atol=2e-4, err_msg=layer)


@pytest.mark.parametrize(
    ("model", "layer"),
    [("timm:mobilenetv4_conv_small", "blocks.4_avg"), ("timm:fastvit_mci0.apple_mclip", "stages.2_avg")],
)
def test_maps_are_pooled_as_a_hook_on_the_network_sees_them(model, layer):
    forward, loaded = prepare({"model": model, "weights": "random"}, [layer], (128, 128), CPU)
    seen = []
    module = loaded.network.get_submodule(layer.removesuffix("_avg"))
    module.register_forward_hook(lambda _, __, output: seen.append(output.mean((2, 3)).numpy()))
    with torch.inference_mode():
        loaded.network(loaded.normalisation.prepare(images(128), None, CPU))
    np.testing.assert_allclose(forward(images(128))[layer], seen[0], atol=1e-4)


def test_an_image_that_is_no_whole_number_of_patches_is_one_line():
    backbone = {"model": "timm:vit_small_patch14_dinov2", "weights": "random"}
    with pytest.raises(UserError, match=r"whole patches of 14 pixels, found 200 x 200; size: 196 or 210 resizes"):
        prepare(backbone, ["norm_cls"], (200, 200), CPU)
    assert prepare({**backbone, "size": 196}, ["norm_cls"], (200, 200), CPU)[0](images(200))["norm_cls"].shape == (
        1,
        384,
    )


def test_weights_of_larger_images_are_resized_with_their_position_embedding(tmp_path):
    """Patches and blocks are those of the file; the positions are interpolated, so equal ones stay equal."""
    big = family.FAMILIES[0].build("vit_tiny_patch16_224", 224)
    with torch.no_grad():
        big.pos_embed.fill_(0.25)
    torch.save(big.state_dict(), tmp_path / "big.pth")
    backbone = {"model": "timm:vit_tiny_patch16_224", "weights": str(tmp_path / "big.pth")}
    loaded = weights.load(backbone, side=112)
    assert not loaded.missing
    state = loaded.network.state_dict()
    assert state["pos_embed"].shape == (1, 1 + 7 * 7, 192)
    torch.testing.assert_close(state["pos_embed"], torch.full_like(state["pos_embed"], 0.25))
    assert torch.equal(state["blocks.5.attn.qkv.weight"], big.state_dict()["blocks.5.attn.qkv.weight"])


# As the papers and the model cards say.
@pytest.mark.parametrize(
    ("model", "mean", "std"),
    [
        ("vit_small_patch14_dinov2", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("vit_base_patch16_clip_224.openai", (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
        ("vit_base_patch16_siglip_224.webli", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ("fastvit_mci0.apple_mclip", (0, 0, 0), (1, 1, 1)),
    ],
)
def test_pixels_are_scaled_as_the_model_cards_say(model, mean, std):
    assert timm_family.Timm().normalisation(model, "default") == ("of timm", Normalisation.of_unit_range(mean, std))


def test_licences_are_those_of_the_weights():
    timm = timm_family.Timm()
    assert timm.licence("vit_small_patch16_dinov3.lvd1689m", "default") == "dinov3-license"
    assert timm.licence("vit_small_patch14_dinov2", "default") == "apache-2.0"
