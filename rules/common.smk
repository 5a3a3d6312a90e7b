# The parsed settings, the grid, and the objects whose methods give the inputs, params and resources of rules.
import atexit
import gc
import sys
from pathlib import Path

# Nearly all objects of this process are needed until it ends, so that Python's garbage collection takes long and finds
# little. It runs less often here, and not at the exit.
gc.set_threshold(100_000)
atexit.register(gc.freeze)

from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.paths import beside, dataset_name, filled
from workflow_scripts.grid.axes import PARTS
from workflow_scripts.grid.checks import check
from workflow_scripts.grid.expand import Grid
from workflow_scripts.grid.inputs import Inputs
from workflow_scripts.planning import durations, ending, plan, prune
from workflow_scripts.planning.sizes import Sizes
from workflow_scripts.planning.snakemake_internals import Run, own_file
from workflow_scripts.provenance import code_digest
from workflow_scripts.settings import load
from workflow_scripts.settings.published import read_facts

try:
    settings = load(
        config, workflow.configfiles, own_file(workflow, "../config/config.yaml")
    )
    grid = Grid(settings)
    check(grid)
    layout = Layout(dataset_name(settings))
    plan.check_place(layout.root)
    published = settings.reproduction and own_file(
        workflow, f"../config/published/{settings.reproduction.published}.yaml"
    )
    facts = read_facts(published) if published else []
except UserError as error:
    sys.exit(f"Error: {error}")

run = Run(workflow)
run.leave_out_of_records("shards")
inputs = Inputs(settings, grid, layout, facts)
sizes = Sizes(settings, layout, grid)
# The number of GPUs of a job that runs a network.
network_gpus = 0 if settings.device == "cpu" else 1


wildcard_constraints:
    **dict.fromkeys(PARTS, r"[^/]+"),
    subset=r"[^/@]+",
    decomposition=r"[^/]+",
    study=r"(?!reproduction\.)[^/]+",
    figure=r"[^/]+",
    cross_validation=r"[^/]+",
    at_k=r"smallest|\d+",
    folder=r"[^/]+",
    shard=r"\d+-of-\d+",


def environment_by(gpus):
    """Return a function of the wildcards that returns a job's conda environment.

    It is the one with CUDA if `gpus(wildcards)` is not 0.
    """

    def environment(wildcards):
        return "../envs/gpu.yaml" if gpus(wildcards) else "../envs/cpu.yaml"

    return environment


def code_of(*modules):
    """Return a function for `params` that returns the digest of the code of `modules`.

    Snakemake calls it only for the jobs of a run, so that no code of other jobs is read.
    """
    return lambda wildcards: code_digest(*modules)


def in_report(path, part, caption, category="{study}", **label):
    """Return `path` marked for the report, in the subcategory `part` of `category`, with a caption and labels."""
    caption = f"../config/captions/{caption}.rst"
    return report(
        path, caption=caption, category=category, subcategory=part, labels=label
    )


def number_of_images(wildcards):
    """Return the number of images; end the run with a message if there is no data folder."""
    try:
        return sizes.n_images
    except UserError as error:
        sys.exit(f"Error: {error}")


config_folder = str(Path(own_file(workflow, "../config/config.yaml")).parent)
ending.print_at_the_end(run, sizes)
