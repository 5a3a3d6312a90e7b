"""Parse the names of layers in the configuration, and compute the shapes of the outputs of a network's nodes.

A layer is named `NODE` or `NODE_POOLING`, with `_l2` at the end if vectors are scaled to length 1: `fc1`, `fire9_avg`,
`norm_clspatch_l2`. `fire5_vlad16` and `fire5_fisher8` are encodings by a codebook of 16 or 8 words, which is learned on
some of the images. `fire5_avg+fire9_avg` joins two layers. Rules import this module, so it uses the standard library
only.
"""

import re
from dataclasses import dataclass
from math import isqrt, prod

POOLINGS = ("flat", "avg", "max", "gem", "gram", "cls", "patch", "clspatch")
ENCODING = re.compile(r"(vlad|fisher)([1-9]\d{0,2})")
"""The pooling by a codebook, and the number of the codebook's words."""
L2 = "_l2"
JOIN = "+"


@dataclass(frozen=True)
class Layer:
    """A layer: a node (output of an operation) of a network, its pooling, and whether vectors are scaled to length 1.

    `words` is the size of the codebook; 0 if the pooling has none.
    """

    node: str
    pooling: str
    l2: bool = False
    words: int = 0


@dataclass(frozen=True)
class Node:
    """A node, that is the output of one operation of a network, with its shape for one image."""

    shape: tuple[int, ...]
    """The shape at the model's own input size."""
    doubled: tuple[int, ...] | None = None
    """The shape at twice this size, or None if the model cannot take such images."""
    prefix: int | None = None
    """The number of class and register tokens before those of the patches; None if the output is not tokens."""
    class_token: bool = False
    """Whether the first of these tokens is a class token."""

    @property
    def channel_axis(self) -> int:
        """Return the index of the channel axis. Pooling keeps this axis and averages over the others.

        For vectors (C,) and tokens (tokens, C) it is the last axis. For maps, (C, H, W) or (H, W, C), it is the axis
        whose length stays the same if the image is twice as large. If this is not known, or if all lengths change, the
        index is 0.
        """
        if len(self.shape) < 3:
            return len(self.shape) - 1
        if self.doubled is None:
            return 0
        return next((axis for axis, (a, b) in enumerate(zip(self.shape, self.doubled, strict=True)) if a == b), 0)

    def at(self, own: int, size: int) -> tuple[int, ...]:
        """Return the shape of the output for square images.

        `size` is the side of the images in pixels, and `own` is the side for which `shape` was measured. The result is
        exact for tokens, strides and adaptive pooling; otherwise it may be wrong by one pixel.
        """
        if self.doubled is None or size == own:
            return self.shape
        return tuple(self._axis_at(a, b, size / own) for a, b in zip(self.shape, self.doubled, strict=True))

    def _axis_at(self, single: int, double: int, ratio: float) -> int:
        patches, rest = divmod(double - single, 3)
        is_tokens = self.prefix is not None and not rest and isqrt(patches) ** 2 == patches > 0
        if is_tokens and single == patches + self.prefix:  # type: ignore[operator]
            return int(isqrt(patches) * ratio) ** 2 + single - patches
        return max(1, round(single + (double - single) * (ratio - 1)))

    def pooled(self, pooling: str, shape: tuple[int, ...] | None = None, words: int = 0) -> int:
        """Return the number of features that `pooling` makes of an output with `shape`; None stands for the node's
        `shape`.

        `words` is the number of words of the codebook, for the poolings `vlad` and `fisher`.
        """
        if pooling == "flat":
            return prod(shape or self.shape)
        channels = self.shape[self.channel_axis]
        match pooling:
            case "gram":
                return channels * (channels + 1) // 2
            case "vlad":
                return words * channels
            case "fisher":
                return words * (2 * channels + 1)
            case "clspatch":
                return 2 * channels
            case _:
                return channels

    def refuses(self, pooling: str) -> str | None:
        """Return the reason why the output cannot be pooled by `pooling`, or None if it can."""
        if pooling in ("cls", "patch", "clspatch"):
            if len(self.shape) != 2 or self.prefix is None:
                return f"{pooling} takes tokens (tokens, channels)"
            if pooling != "patch" and not self.class_token:
                return f"{pooling} takes the class token, and this network has none; allowed: patch"
        elif pooling != "flat":
            if len(self.shape) not in (2, 3):
                return f"{pooling} takes a map or tokens"
            if self.prefix:
                return f"{pooling} would mix class and register tokens in; allowed: cls, patch, clspatch, flat"
        return None


def parts_of(text: str) -> list[str]:
    """Return the names of the layers in a joined layer, in order. For any other layer, return a list with its own
    name."""
    return text.split(JOIN)


def parse_layer(text: str) -> Layer:
    """Return the layer that a name in the configuration stands for; a name without a pooling means `flat`."""
    rest = text.removesuffix(L2)
    node, _, pooling = rest.rpartition("_")
    l2 = rest != text and bool(rest)
    if node and not l2 and (encoding := ENCODING.fullmatch(pooling)):
        return Layer(node, encoding[1], words=int(encoding[2]))
    return Layer(node, pooling, l2) if node and pooling in POOLINGS else Layer(rest or text, "flat", l2)
