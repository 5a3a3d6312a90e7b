"""Write numbers and lists as text for figures, pages and documents."""

from collections.abc import Iterable


def count(n: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as `1 image` or `1,800 images`.

    `one` is the noun's singular, `many` its plural (None adds an s).
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def in_sentence(title: str) -> str:
    """Return a title as it stands inside a sentence: its first letter is small."""
    return title[0].lower() + title[1:]


def percent(share: float) -> str:
    """Return a share (0 to 1) in percent, such as `12 %` or `0.4 %`.

    Only the share 0 gives `0 %`, and only the share 1 gives `100 %`. Shares close to them give `< 0.1 %` or `> 99 %`.
    """
    value = round(100 * share, 9)  # the last bits of a sum of shares may differ from those of 1
    if 0 < value < 0.95:
        return f"{value:.1f} %" if value >= 0.05 else "< 0.1 %"
    return f"{value:.0f} %" if not 99.5 <= value < 100 else "> 99 %"


def decimal(value: float, form: str = ".2f") -> str:
    """Return a number as text in the Python format `form`, with a minus sign in place of a hyphen.

    A number that the format shows as zero has no sign.
    """
    text = f"{value:{form}}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def listed(names: Iterable[object], most: int | None = None) -> str:
    """Return names as a list in a sentence, `a, b and c`.

    If there are more than `most` names, the first `most` are followed by the number of others: `a, b and 5 more`.
    """
    texts = [str(name) for name in names]
    if most is not None and len(texts) > most:
        return f"{', '.join(texts[:most])} and {len(texts) - most} more"
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
