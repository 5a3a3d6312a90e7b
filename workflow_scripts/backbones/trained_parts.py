"""Choose the parts of a network that fine-tuning trains: its last layer, some blocks before it too, or all."""

from collections.abc import Iterator

from torch import nn

AUXILIARY = ("aux1", "aux2", "AuxLogits")
"""Further heads of Inception and GoogLeNet, which are never trained."""
SEQUENCES = (nn.Sequential, nn.ModuleList)
"""Modules that hold the blocks of a network."""


def trained_parameters(net: nn.Module, trained: str | int) -> list[nn.Parameter]:
    """Return the parameters to train, and freeze all others.

    `trained` is `head` (the last layer), `all`, or a number: that many blocks before the last layer are trained too.
    """
    parts = {name: part for name, part in _parts(net) if name.split(".")[0] not in AUXILIARY}
    names = list(parts)
    if trained == "head":
        chosen = [net.get_submodule(next(reversed(dict(net.named_parameters()))).rpartition(".")[0])]
    elif trained == "all":
        chosen = [net]
    else:
        with_weights = [name for name in names if any(weight.ndim > 1 for weight in parts[name].parameters())]
        first = with_weights[max(0, len(with_weights) - 1 - int(trained))]
        chosen = [parts[name] for name in names[names.index(first) :]]
    net.requires_grad_(False)
    for part in chosen:
        part.requires_grad_(True)
    for name in AUXILIARY:
        getattr(net, name, nn.Identity()).requires_grad_(False)
    return [parameter for parameter in net.parameters() if parameter.requires_grad]


def _parts(net: nn.Module, beginning: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the blocks and layers of a network in their order, each with its name.

    A sequence of modules is replaced by the modules in it. So is a module that contains one sequence of blocks (see
    `_is_stack`).
    """
    for name, part in net.named_children():
        if type(part) in SEQUENCES or _is_stack(part):
            yield from _parts(part, f"{beginning}{name}.")
        else:
            yield f"{beginning}{name}", part


def _is_stack(part: nn.Module) -> bool:
    """Return whether a module has exactly one sequence of modules, which are two or more blocks of the same kind.

    The encoder of torchvision's Vision Transformer is such a module.
    """
    sequences = [child for child in part.children() if type(child) in SEQUENCES]
    if len(sequences) != 1:
        return False
    blocks = list(sequences[0].children())
    of_layers = all(any(block.children()) and not isinstance(block, nn.Sequential) for block in blocks)
    return len(blocks) > 1 and of_layers and len({type(block) for block in blocks}) == 1
