"""The input functions and params of Snakemake's rules, in a class for each stage of the workflow.

They are functions of a rule's wildcards and return paths or settings. An empty list means that the rule needs no file.

If they notice a mistake of the user, they end the run with a message of one line.
"""

from collections.abc import Callable, Sequence
from itertools import chain

from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.grid.inputs.clustering import ClusteringInputs
from workflow_scripts.grid.inputs.features import FeatureInputs
from workflow_scripts.grid.inputs.figures import FigureInputs
from workflow_scripts.grid.inputs.intake import IntakeInputs
from workflow_scripts.grid.inputs.methods import MethodsInputs
from workflow_scripts.grid.inputs.models import ModelInputs
from workflow_scripts.grid.inputs.new_images import NewImagesInputs
from workflow_scripts.grid.inputs.pages import PageInputs
from workflow_scripts.grid.inputs.stage import Files, JobWildcards, each_file
from workflow_scripts.grid.inputs.targets import Targets
from workflow_scripts.grid.inputs.verdict import VerdictInputs
from workflow_scripts.intake.listing import entry_of, listing_digest
from workflow_scripts.settings.configuration import Settings
from workflow_scripts.settings.published import Fact


class Inputs:
    """The input functions and params of all rules for one configuration, with an attribute for each stage.

    Parameters
    ----------
    settings : the settings of the configuration.
    grid : the cells of the configuration's studies.
    layout : the paths of all artefacts.
    facts : the published numbers with which the run is compared.
    """

    def __init__(self, settings: Settings, grid: Grid, layout: Layout, facts: Sequence[Fact] = ()) -> None:
        configured = (settings, grid, layout)
        self.intake = IntakeInputs(*configured)
        self.features = FeatureInputs(*configured)
        self.clustering = ClusteringInputs(*configured)
        self.figures = FigureInputs(*configured, facts)
        self.pages = PageInputs(*configured)
        self.verdict = VerdictInputs(*configured, self.pages)
        self.models = ModelInputs(*configured, self.features, self.figures)
        self.new_images = NewImagesInputs(*configured, self.models)
        self.methods = MethodsInputs(*configured)
        self.targets = Targets(*configured, self.models)
        self._made_here = layout.known_labels

    def state_of(self, *files: Callable[[JobWildcards], Files]) -> Callable[[JobWildcards], str]:
        """Return a function of the wildcards that returns a digest of the sizes and times of the user's files.

        `files` are the input functions that return the paths of these files.

        The digest makes a job run again after a file was replaced by an older one, such as a copy that keeps its time
        (`cp -p`, rsync). Snakemake itself notices only newer files.
        """

        def state(wildcards: JobWildcards) -> str:
            brought = chain.from_iterable(each_file(file(wildcards)) for file in files)
            return listing_digest(entry_of(path) for path in brought if path != self._made_here)

        return state
