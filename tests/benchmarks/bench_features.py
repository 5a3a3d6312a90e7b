"""Images per second of one pass for all layers, against the plain loops that a user would write; prints Markdown.

`python -m tests.benchmarks.bench_features [--device cuda] [--repeats 3] [--batches 1 2 4 8 16] [MODEL ...]`

Rates are the best of the repeats, and the variants take turns, so that other work on the machine hits all alike.
Plain: the library's network with a hook, one forward pass per layer, torch's own number of threads. Peak: a float32
matrix product with all threads. Weights are random (the arithmetic is the same); images are noise, 224 x 224, grey.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.benchmarks.interval import with_interval
from workflow_scripts.backbones.extract import BATCH_SIZE, CUDA_WORKERS, padded_batches
from workflow_scripts.backbones.forward import ForwardPass, prepare
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.parallel import threaded_map

LAYERS = {
    "squeezenet1_1": ("fire9_avg", "fire7_avg", "fire5_avg"),
    "resnet50": ("avgpool", "layer3_avg", "layer2_avg"),
    "vgg16": ("fc1", "fc2", "block5_pool"),
    "convnext_tiny": ("features.7_avg", "features.5_avg", "features.3_avg"),
    "timm:vit_small_patch14_dinov2": ("norm_cls", "blocks.8_cls", "blocks.5_cls"),
}
HOOKED = {
    "squeezenet1_1": ("features.12", "features.10", "features.7"),
    "resnet50": ("avgpool", "layer3", "layer2"),
    "vgg16": ("classifier.1", "classifier.4", "features.30"),
    "convnext_tiny": ("features.7", "features.5", "features.3"),
    "timm:vit_small_patch14_dinov2": ("norm", "blocks.8", "blocks.5"),
}
N_IMAGES = {"squeezenet1_1": 64}
"""The number of images of a model; `FEWER` of the others, which are slower."""
FEWER = 32
PLAIN_BATCH = 32
SIDE = 224


def backbone(model: str, precision: str = "float32") -> dict[str, str]:
    """A backbone with random weights."""
    return {"model": model, "weights": "random", "precision": precision}


def plain(net: nn.Module, modules: tuple[str, ...], images: np.ndarray, batch: int, device: torch.device) -> None:
    """What a user would write: per layer a hook and a loop over the images."""
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], device=device).view(2, 3, 1, 1)
    for name in modules:
        found = []
        module = net.get_submodule(name)
        handle = module.register_forward_hook(lambda module, inputs, output, found=found: found.append(output.cpu()))
        with torch.no_grad():
            for start in range(0, len(images), batch):
                pixels = torch.from_numpy(images[start : start + batch]).to(device).unsqueeze(1).expand(-1, 3, -1, -1)
                net((pixels / 255 - mean) / std)
        handle.remove()


def ours(forward: ForwardPass, images: np.ndarray, batch: int, workers: int) -> None:
    """The loop of `extract`, without the writing."""
    for _ in threaded_map(forward, padded_batches(images, 0, len(images), batch), workers):
        pass


def forward_only(forward: ForwardPass, images: np.ndarray, batch: int, workers: int) -> None:
    """The limit without input and output: the same batch again and again, already on the device."""
    pixels = forward.normalisation.prepare(images[:batch], forward.size, forward.device)

    def step(_: np.ndarray) -> None:
        with torch.inference_mode():
            forward.network(pixels)

    for _ in threaded_map(step, iter([images] * (len(images) // batch)), workers):
        pass
    if forward.device.type == "cuda":
        torch.cuda.synchronize()


def peak_rate(device: torch.device, repeats: int, side: int = 2048) -> float:
    """Float32 operations per second of a matrix product with all threads."""
    one = torch.rand(side, side, device=device)
    return 2 * side**3 / min(seconds(lambda: (one @ one)[0, 0].item()) for _ in range(20 * repeats))


def operations(forward: ForwardPass) -> int:
    """Float operations of the cut network for one image: two per multiply-add."""
    with FlopCounterMode(display=False) as counter:
        forward(np.zeros((1, SIDE, SIDE), np.uint8))
    return counter.get_total_flops()


def seconds(run: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = perf_counter()
    run()
    return perf_counter() - start


def rounds(variants: dict[str, Callable[[], object]], repeats: int) -> list[dict[str, float]]:
    """The times of each variant; they take turns, after a round that does not count."""
    return [{name: seconds(run) for name, run in variants.items()} for _ in range(repeats + 1)][1:]


def best(times: list[dict[str, float]]) -> dict[str, float]:
    """The shortest time of each variant."""
    return {name: min(turn[name] for turn in times) for name in times[0]}


def compare(model: str, device: torch.device, repeats: int, workers: int) -> Iterator[str]:
    """Rows of the table for one and for three layers."""
    images = np.random.default_rng(0).integers(0, 256, (N_IMAGES.get(model, FEWER), SIDE, SIDE), dtype=np.uint8)
    batch = BATCH_SIZE[device.type]
    for count in (1, 3):
        forward, loaded = prepare(backbone(model), LAYERS[model][:count], images.shape[1:3], device)
        lower, _ = prepare(backbone(model, "bfloat16"), LAYERS[model][:count], images.shape[1:3], device)
        net, modules = loaded.network.to(device), HOOKED[model][:count]
        torch.set_num_threads(os.cpu_count() or 1)
        variants: dict[str, Callable[[], object]] = {
            "one": lambda net=net, modules=modules: plain(net, modules, images, 1, device),
            "batch": lambda net=net, modules=modules: plain(net, modules, images, PLAIN_BATCH, device),
            "ours": lambda forward=forward: ours(forward, images, batch, workers),
            "forward": lambda forward=forward: forward_only(forward, images, batch, workers),
            "bfloat16": lambda lower=lower: ours(lower, images, batch, workers),
        }
        times = rounds(variants, repeats)
        at_peak = peak_rate(device, repeats)
        rate = {name: len(images) / time for name, time in best(times).items()}
        faster = with_interval(min(turn["one"], turn["batch"]) / turn["ours"] for turn in times)
        of_forward = with_interval(turn["forward"] / turn["ours"] for turn in times)
        yield (
            f"| {model} | {count} | {rate['one']:.1f} | {rate['batch']:.1f} | {rate['ours']:.1f} "
            f"| {faster} | {of_forward} "
            f"| {rate['ours'] * operations(forward) / at_peak:.2f} | {rate['bfloat16']:.1f} "
            f"| {largest_change(forward, lower, images[:8]):.1%} |"
        )


def largest_change(forward: ForwardPass, lower: ForwardPass, images: np.ndarray) -> float:
    """The relative distance (Euclidean) that the lower precision moves a feature vector, the largest of all."""
    full, moved = forward(images), lower(images)
    return max(
        float((np.linalg.norm(moved[k] - full[k], axis=1) / np.linalg.norm(full[k], axis=1)).max()) for k in full
    )


def sweep(model: str, device: torch.device, batches: list[int], repeats: int, workers: int) -> str:
    """A row of images per second by batch size."""
    images = np.random.default_rng(0).integers(0, 256, (N_IMAGES.get(model, FEWER), SIDE, SIDE), dtype=np.uint8)
    forward, _ = prepare(backbone(model), LAYERS[model][:1], images.shape[1:3], device)
    runs = {str(batch): lambda batch=batch: ours(forward, images, batch, workers) for batch in batches}
    return (
        f"| {model} | "
        + " | ".join(f"{len(images) / time:.1f}" for time in best(rounds(runs, repeats)).values())
        + " |"
    )


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(LAYERS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 2, 4, 8, 16, 32])
    given = parser.parse_args()
    device = torch.device(choose_device(given.device))
    workers = (os.cpu_count() or 1) if device.type == "cpu" else CUDA_WORKERS
    print(f"{workers} workers on {device.type}, batch {BATCH_SIZE[device.type]}; images per second\n")
    columns = "model, layers, plain by 1, plain by 32, one pass, times faster, of forward only, of peak, bf16, moved by"
    print("| " + columns.replace(", ", " | ") + " |\n" + "|---" * 10 + "|")
    for model in given.models:
        for row in compare(model, device, given.repeats, workers):
            print(row, flush=True)
    print("\n| batch | " + " | ".join(map(str, given.batches)) + " |\n" + "|---" * (len(given.batches) + 1) + "|")
    for model in given.models:
        print(sweep(model, device, given.batches, given.repeats, workers), flush=True)


if __name__ == "__main__":
    main()
