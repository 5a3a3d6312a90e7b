"""Numbers and lists as words, in figures, pages and documents."""

from collections.abc import Sequence


def count(n: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as `1 image` or `1,800 images`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return a share in percent, such as `12 %` or `0.4 %`."""
    value = 100 * share
    return f"{value:.1f} %" if 0 < value < 0.95 else f"{value:.0f} %"


def decimal(value: float, form: str = ".2f") -> str:
    """Return a number in a format of Python, with a minus sign where Python has a hyphen, and zero without a sign."""
    text = f"{value:{form}}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return names as prose, `a, b and c`; of more than `most` names the first ones and the number of the others."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
