"""Clustergrid: a workflow from a folder of images to figures that show how much each choice matters.

`snakemake --cores all` makes everything; `snakemake --cores all study_NAME` makes one study. The page
docs/reference/commands.md explains the other targets.
"""

from snakemake.utils import min_version

min_version("9.27.1")


report: "config/captions/report.rst"


include: "rules/common.smk"
include: "rules/intake.smk"
include: "rules/preprocess.smk"
include: "rules/features.smk"
include: "rules/subsets.smk"
include: "rules/reduce.smk"
include: "rules/cluster.smk"
include: "rules/evaluate.smk"
include: "rules/figures.smk"
include: "rules/audit.smk"
include: "rules/verdict.smk"
include: "rules/predict.smk"
include: "rules/housekeeping.smk"


rule all:
    default_target: True
    input:
        layout.rejected,
        inputs.targets.everything,
        inputs.verdict.front_page,
        layout.methods,
    localrule: True


for study in settings.studies:

    rule:
        name:
            f"study_{study}"
        input:
            inputs.targets.of_study(study),
        localrule: True


onstart:
    run.look_for_jobs_only_when_one_ends()
    plan.check_disk(run, sizes)
    durations.say_time_left(run)
