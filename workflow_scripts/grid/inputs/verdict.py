"""Input functions and params of the rules that compute the agreement of cells and their consensus, and write verdict
pages."""

from dataclasses import dataclass
from typing import Any

from workflow_scripts.grid.inputs.pages import PageInputs
from workflow_scripts.grid.inputs.stage import Files, JobWildcards, Stage, dumped
from workflow_scripts.grid.paths import beside
from workflow_scripts.grid.wildcards import k_from_path, k_in_path
from workflow_scripts.settings.studies import ASKED_FOR, OF_A_VERDICT


@dataclass(frozen=True)
class VerdictInputs(Stage):
    """Inputs of the rules that compare the cells of a study, compute their consensus, and write the verdict.

    The consensus is the set of groups on which the cells agree. The verdict is the page with the findings of a study.
    """

    pages: PageInputs

    def agreement_k(self, wildcards: JobWildcards) -> int | None:
        """Return the number of clusters k at which cells are compared; None is the smallest k of each clusterer."""
        return k_from_path(wildcards.at_k)

    def agreement_sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return the paths of the clusters of the cells that are compared, under the name `clusters`."""
        cells = self.grid.compared(wildcards.study, self.agreement_k(wildcards))
        return {"clusters": [self.layout.of(self.layout.clusters, cell) for cell in cells]}

    def agreement_cells(self, wildcards: JobWildcards) -> list[dict[str, Any]]:
        """Return the cells that are compared, as dictionaries for the rule's `params`."""
        return dumped(self.grid.compared(wildcards.study, self.agreement_k(wildcards)))

    def consensus_sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return the paths of the inputs of a study's consensus by name: the clusters of its cells, their agreement,
        the manifest."""
        cells = self.grid.agreeing(wildcards.study)
        at_k = k_in_path(self.consensus_settings(wildcards)["k"])
        return {
            "manifest": self.layout.manifest_of(cells[0].subset),
            "clusters": [self.layout.of(self.layout.clusters, cell) for cell in cells],
            "agreement": self.layout.agreement.format(study=wildcards.study, at_k=at_k),
        }

    def consensus_settings(self, wildcards: JobWildcards) -> dict[str, Any]:
        """Return the settings of a study's consensus: `k`, the number of clusters of the cells, and `groups`, the
        number of groups. Each is None if the study's key `verdict` does not set it."""
        return self.settings.studies[wildcards.study].consensus_settings()

    def consensus_cells(self, wildcards: JobWildcards) -> list[dict[str, Any]]:
        """Return the cells of a study's consensus, as dictionaries for the rule's `params`."""
        return dumped(self.grid.agreeing(wildcards.study))

    def figures_read(self, wildcards: JobWildcards) -> dict[str, str]:
        """Return, by kind, the names of the figures whose tables the verdict page of a study reads.

        Figures of the kinds `ASKED_FOR` are left out if the study does not have them.
        """
        study = self.settings.studies[wildcards.study]
        names = {kind: study.figure_of_kind(kind) for kind in (*OF_A_VERDICT, *ASKED_FOR)}
        made = self.grid.figures[wildcards.study]
        return {kind: name for kind, name in names.items() if name is not None and name in made}

    def kinds_read(self, wildcards: JobWildcards) -> list[str]:
        """Return the kinds of the figures whose tables a verdict page reads, in the order of the page's inputs."""
        return list(self.figures_read(wildcards))

    def sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return, by name, the paths of the inputs of a verdict page: tables and figures, the consensus, the manifest
        and the images."""
        layout, study = self.layout, wildcards.study
        names = self.figures_read(wildcards).values()
        figures = [layout.figure.format(study=study, figure=name) for name in names]
        consensus = layout.consensus.format(study=study)
        return {
            "manifest": self.consensus_sources(wildcards)["manifest"],
            "rejected": layout.rejected,
            "consensus": consensus,
            "groups": beside(consensus, ".csv"),
            "tables": [layout.figure_table.format(study=study, figure=name) for name in names],
            "figures": [beside(figure, ".png") for figure in figures],
            "images": self.pages.sources("verdict")(wildcards)["images"],
        }

    def links(self, wildcards: JobWildcards) -> dict[str, str]:
        """Return, by name, the paths of the tables to which the sentences of a verdict page link. The paths are
        relative to the results folder of the data set."""
        layout, study = self.layout, wildcards.study
        paths = {
            "manifest": str(self.consensus_sources(wildcards)["manifest"]),
            "rejected": layout.rejected,
            "consensus": beside(layout.consensus.format(study=study), ".csv"),
        }
        for kind, name in self.figures_read(wildcards).items():
            paths[kind] = beside(layout.figure_table.format(study=study, figure=name), ".csv")
        return {name: path.removeprefix(f"{layout.root}/") for name, path in paths.items()}

    @property
    def first(self) -> list[str]:
        """Return a list with the path of the verdict page of the first study that has one; an empty list if no study
        has one."""
        studies = [name for name, pages in self.grid.pages.items() if "verdict" in pages]
        return [self.layout.verdict.format(study=study) for study in studies[:1]]

    @property
    def front_page(self) -> list[str]:
        """Return a list with the path of the front page of the results; an empty list if no study has a verdict
        page."""
        return [self.layout.front_page for _ in self.first]
