"""The settings and traits that clusterers have in common.

For each number of clusters k, a random clusterer computes several repeats, each with its own seed. A repeat consists of
several restarts (initialisations); its result is the best one.
"""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from workflow_scripts.settings.costs import FLOAT, FLOPS, ROUNDS
from workflow_scripts.settings.methods import Method

Count = Annotated[int, Field(ge=1)]
Counts = Annotated[list[Count], Field(min_length=1)]
MOST_RESTARTS = 100_000
"""Largest number of repeats of a k, and of restarts of a repeat; a mistyped number would fill the memory."""
RestartCount = Annotated[int, Field(ge=1, le=MOST_RESTARTS)]
MOST_NUMBERS = 10_000
"""Largest length of a range of k; a mistyped range would fill the memory."""


def _listed(given: Any) -> Any:
    """Return a setting as a list of numbers. It may be a list, a single number, or a range such as `2-500`.

    Raises `ValueError` if a text is neither a number nor a range, if the range does not begin with its smaller number,
    or if its ends differ by more than `MOST_NUMBERS`.
    """
    if isinstance(given, str) and len(ends := given.split("-")) == 2 and all(end.isdecimal() for end in ends):
        first, last = map(int, ends)
        if last < first:
            raise ValueError(f"found {given}, allowed: a range that begins with the smaller number")
        if last - first > MOST_NUMBERS:
            raise ValueError(f"found {given}, allowed: a range of {MOST_NUMBERS:,} numbers at most")
        return list(range(first, last + 1))
    if isinstance(given, str) and not given.isdecimal():
        raise ValueError(f"found {given!r}, allowed: a whole number, a list of them, or a range such as 2-10")
    return given if isinstance(given, list) else [given]


Range = Annotated[str, Field(pattern=r"^\d+-\d+$")]
Ks = Annotated[Counts, BeforeValidator(_listed, json_schema_input_type=Count | Range | Counts)]


class Clusterer(Method):
    """Base class of the settings of clusterers. A clusterer's code is the module of the same name in `clusterers/`.

    Estimates are for n points in d dimensions. Memory does not count the libraries.
    """

    tag = "method"
    registry: ClassVar[dict[str, type["Clusterer"]]] = {}
    finds_k: ClassVar[bool] = True
    """Whether the method finds the number of clusters itself."""
    keeps_centers: ClassVar[bool] = False
    """Whether the centre of each cluster, a point in d dimensions, is stored."""
    numbers_per_image: ClassVar[int] = 0
    """Number of values in double precision that are stored for each image besides its clusters."""

    @property
    def ks(self) -> list[int]:
        """Return the numbers of clusters k in the settings; an empty list if the method finds the number itself."""
        return []

    @property
    def study_read(self) -> str | None:
        """Return the name of the study whose consensus gives the clusters; None if the method clusters points."""
        return None

    @property
    def columns(self) -> int | None:
        """Return the number of columns that the points must have; None if any number is allowed."""
        return None

    @property
    def n_repeats(self) -> int:
        """Return the number of repeats of each k, each with its own seed; 1 if the method is not random."""
        return 1

    @property
    def restarts_per_repeat(self) -> int:
        """Return the number of restarts of each repeat; the best restart is kept."""
        return 1

    @property
    def n_stored(self) -> int:
        """Return the number of clusterings that are stored for each k."""
        return self.n_repeats

    @property
    def n_restarts(self) -> int:
        """Return the number of restarts of k-means for all k and repeats together; 0 for other methods."""
        return 0

    def threads(self, n: int, d: int) -> int:
        """Return the number of threads that the job can use."""
        return 1

    def stored_bytes(self, n: int, d: int) -> int:
        """Return the bytes of the store, without compression. A method that finds k may find up to n clusters."""
        return FLOAT * self.numbers_per_image * n + sum(self._bytes_of(k, n, d) for k in self.ks or [n])

    def _bytes_of(self, k: int, n: int, d: int) -> int:
        """Return the bytes of all clusterings of one k: the cluster of each image, centres, and numbers about each
        clustering."""
        rows = n * (1 if k <= 256 else 2) + 40
        return self.n_stored * rows + (self.n_repeats * FLOAT * k * d if self.keeps_centers else 0)

    def memory(self, n: int, d: int) -> int:
        """Return the bytes of memory that the job needs: the points and two copies of them, the clusterings of one k,
        and `working_memory`."""
        return 3 * FLOAT * n * d + self._bytes_of(max(self.ks, default=n), n, d) + self.working_memory(n, d)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes that the method needs besides the points, their copies and the results."""
        return 0

    def seconds(self, n: int, d: int) -> float:
        """Return the estimated seconds on a slow core. The estimate is ten times the time to compute the distances of
        all pairs of points."""
        return 2 * d * 10 * n**2 / FLOPS


class OfK(Clusterer):
    """Base class of the settings of clusterers to which the number of clusters is given."""

    finds_k = False
    k: Ks
    """Numbers of clusters: one number, a list, or a range such as `2-500`. The default is the configuration's
    `n_clusters`."""

    @model_validator(mode="after")
    def _each_k_once(self) -> "OfK":
        if len(set(self.k)) < len(self.k):
            raise ValueError(f"k: found {self.k}, allowed: each number once")
        return self

    @property
    def ks(self) -> list[int]:
        return self.k


class Repeated(OfK):
    """Base class of the settings of random clusterers, which compute `repeats` clusterings of each k."""

    repeats: RestartCount = 3
    """Number of clusterings of each k, each with its own seed."""

    @property
    def n_repeats(self) -> int:
        return self.repeats

    def seconds(self, n: int, d: int) -> float:
        """Return the estimated seconds on a slow core. They are the seconds for the distances to all centres, in all
        iterations of all restarts, and ten times the seconds for the distances of all pairs of points."""
        centers = ROUNDS * self.repeats * self.restarts_per_repeat * sum(self.k)
        return 2 * d * n * (centers + 10 * n) / FLOPS


class BestOf(Repeated):
    """Base class of the settings of clusterers that run `n_init` restarts in each repeat and keep the best one."""

    n_init: RestartCount = 3
    """Number of restarts of each repeat; the best one is kept."""

    @property
    def restarts_per_repeat(self) -> int:
        return self.n_init
