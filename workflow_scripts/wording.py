"""Numbers and lists as words, in figures, pages and documents."""

from collections.abc import Iterable


def count(n: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as `1 image` or `1,800 images`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return a share in percent, such as `12 %` or `0.4 %`; only 0 is `0 %`, and only 1 is `100 %`."""
    value = round(100 * share, 9)  # sums of shares may be 1 but for the last bits
    if 0 < value < 0.95:
        return f"{value:.1f} %" if value >= 0.05 else "< 0.1 %"
    return f"{value:.0f} %" if not 99.5 <= value < 100 else "> 99 %"


def decimal(value: float, form: str = ".2f") -> str:
    """Return a number in a format of Python, with a minus sign where Python has a hyphen, and zero without a sign."""
    text = f"{value:{form}}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def listed(names: Iterable[object], most: int | None = None) -> str:
    """Return names as prose, `a, b and c`; of more than `most` names the first ones and the number of the others."""
    texts = [str(name) for name in names]
    if most is not None and len(texts) > most:
        return f"{', '.join(texts[:most])} and {len(texts) - most} more"
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
