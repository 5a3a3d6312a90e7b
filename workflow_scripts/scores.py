"""Define the metrics of partitions, from which the columns of tables, names in figures and settings are derived.

Settings, jobs and figures import this module, so it uses the standard library only.
"""

from dataclasses import dataclass

PERCENT = "\N{NO-BREAK SPACE}(%)"
PEOPLE = ("Akaike", "Bayes", "Calinski", "Davies")
"""Names of people that titles begin with."""


@dataclass(frozen=True)
class Metric:
    """The properties of a metric. Its name is the key in `METRICS`, which is also the name of its column in tables.

    Parameters
    ----------
    meaning : a sentence about its values, for the reference of the tables.
    title : its name in figures; "" if no figure can show it.
    heading : its short name, for the head of a narrow column.
    percent : whether figures show it in percent. The tables always hold shares (0 to 1).
    decimals : number of decimals in figures that are tables.
    low_is_good : whether the lowest value is the best.
    needs_labels : whether it compares clusters with labels.
    has_interval : whether two columns with the ends of an interval, `_low` and `_high`, follow its column.
    in_prose :
        its name in the paragraph about a run's methods, with its sources as `[@key]`; None if the paragraph does not
        name it.
    """

    meaning: str
    title: str = ""
    heading: str = ""
    percent: bool = False
    decimals: int = 2
    low_is_good: bool = False
    needs_labels: bool = False
    has_interval: bool = False
    in_prose: str | None = None

    @property
    def axis_label(self) -> str:
        """Return the title with its unit."""
        return f"{self.title}{self.unit}"

    @property
    def unit(self) -> str:
        """Return the unit that follows a title: ` (%)` if the metric is shown in percent, otherwise ""."""
        return PERCENT if self.percent else ""

    @property
    def in_sentence(self) -> str:
        """Return the title for the middle of a sentence: the first letter is small unless a person's name begins it."""
        return self.title if self.title.startswith(PEOPLE) else self.title[:1].lower() + self.title[1:]


METRICS: dict[str, Metric] = {
    "accuracy_majority": Metric(
        "Share of the labelled images whose label is the one that most images of their cluster have (1 is best). "
        "It grows with k by itself.",
        "Accuracy, majority vote",
        "Accuracy",
        percent=True,
        needs_labels=True,
        in_prose="the accuracy after each cluster was given the class of most of its images",
    ),
    "accuracy_matched": Metric(
        "The same after clusters and classes were matched one to one, so that more clusters do not help.",
        "Accuracy, one-to-one matching",
        "Matched",
        percent=True,
        needs_labels=True,
        in_prose="the accuracy after clusters and classes were matched one to one [@kuhn1955]",
    ),
    "ari": Metric(
        "Adjusted Rand index (1 is equal partitions, 0 is chance).",
        "Adjusted Rand index",
        "ARI",
        needs_labels=True,
        in_prose="the adjusted Rand index [@hubert1985]",
    ),
    "ami": Metric(
        "Adjusted mutual information (1 is equal partitions, 0 is chance).",
        "Adjusted mutual information",
        "AMI",
        needs_labels=True,
        in_prose="the adjusted mutual information [@vinh2010]",
    ),
    "nmi_arithmetic": Metric(
        "Normalised mutual information, arithmetic mean of the entropies.",
        "Normalised mutual information (arithmetic)",
        "NMI",
        needs_labels=True,
        in_prose="the normalised mutual information (arithmetic and geometric mean of the entropies) [@strehl2002]",
    ),
    "nmi_geometric": Metric(
        "Normalised mutual information, geometric mean of the entropies.",
        "Normalised mutual information (geometric)",
        "NMI",
        needs_labels=True,
    ),
    "purity": Metric(
        "Share of the images that have the most frequent label of their cluster.",
        "Purity",
        "Purity",
        percent=True,
        needs_labels=True,
    ),
    "homogeneity": Metric(
        "1 if every cluster holds images of one class only.",
        "Homogeneity",
        "Homog.",
        needs_labels=True,
        in_prose="homogeneity and completeness [@rosenberg2007]",
    ),
    "completeness": Metric(
        "1 if all images of every class are in one cluster.", "Completeness", "Compl.", needs_labels=True
    ),
    "silhouette": Metric(
        "Mean silhouette, from -1 to 1. Needs no labels. Above 20 000 images it is estimated from a sample.",
        "Mean silhouette",
        "Silh.",
        has_interval=True,
        in_prose="the mean silhouette [@rousseeuw1987]",
    ),
    "inertia": Metric(
        "Sum of the squared distances of the images to the mean of their cluster. Compare it only among partitions of "
        "the same points.",
        "Inertia (sum of squared distances)",
        "Inertia",
        decimals=0,
        low_is_good=True,
    ),
    "calinski_harabasz": Metric(
        "Calinski-Harabasz index; higher is better. Needs no labels.",
        "Calinski-Harabasz index",
        "Cal.-Har.",
        decimals=0,
        in_prose="the Calinski–Harabasz index [@calinski1974]",
    ),
    "davies_bouldin": Metric(
        "Davies-Bouldin index; lower is better. Needs no labels.",
        "Davies-Bouldin index (low is good)",
        "Dav.-Bould.",
        low_is_good=True,
        in_prose="the Davies–Bouldin index [@davies1979]",
    ),
    "dbcv": Metric(
        "Density-based cluster validity, from -1 to 1. Needs no labels. Null where it would take too long.",
        "Density-based validity (DBCV)",
        "DBCV",
        has_interval=True,
        in_prose="density-based validity [@moulavi2014]",
    ),
    "bic": Metric(
        "Bayesian information criterion of a Gaussian mixture; lower is better. Null for other methods.",
        "Bayesian information criterion (low is good)",
        "BIC",
        decimals=0,
        low_is_good=True,
        in_prose="the Bayesian information criterion [@schwarz1978]",
    ),
    "aic": Metric(
        "Akaike information criterion of a Gaussian mixture; lower is better. Null for other methods.",
        "Akaike information criterion (low is good)",
        "AIC",
        decimals=0,
        low_is_good=True,
    ),
    "largest_cluster": Metric(
        "Share of all images that are in the largest cluster; near 1, the partition says little whatever its scores "
        "are."
    ),
    "largest_class": Metric(
        "Share of the largest class among the labelled images. An accuracy is worth what it is above this share, which "
        "a single cluster reaches.",
        needs_labels=True,
    ),
}
"""Every metric by its name, in the order of the columns. New ones are appended: columns keep their order for ever."""
OF_FIGURES = tuple(name for name, metric in METRICS.items() if metric.title)
"""The metrics that figures can show."""
COLUMNS = [
    column
    for name, metric in METRICS.items()
    for column in ([name, f"{name}_low", f"{name}_high"] if metric.has_interval else [name])
]
"""The columns of all metrics in the tables, in their order."""
