"""Facts about torchvision's networks."""

import numpy as np
import torch

from workflow_scripts.backbones.torchvision_family import Torchvision
from workflow_scripts.backbones.torchvision_import import torchvision

CPU = torch.device("cpu")


def test_googlenets_own_weights_want_what_torchvision_makes_inside_the_network(tmp_path):
    """torchvision hands them pixels scaled for ImageNet and converts these inside (`transform_input`)."""
    torch.manual_seed(0)
    theirs = torchvision.models.GoogLeNet(transform_input=True, aux_logits=False, init_weights=False).eval()
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    published = torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1
    _, normalisation = Torchvision().normalisation("googlenet", "default")
    transforms = published.transforms()
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (transforms.mean, transforms.std))
    with torch.inference_mode():
        expected = theirs((torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std)
        theirs.transform_input = False
        found = theirs(normalisation.prepare(images, None, CPU))
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-5 * expected.abs().max())


def test_weights_for_larger_images_build_the_network_for_them():
    assert Torchvision().published_options("vit_h_14", "default") == {"image_size": 518}
