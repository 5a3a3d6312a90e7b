# Targets of their own: what is not used any more, what can be named
rule prune:
    localrule: True
    params:
        root=layout.root,
        wanted=lambda wildcards: plan.wanted_files(workflow.source_path("../config"), settings, layout),
        delete=settings.delete,
    log:
        f"{layout.root}/logs/prune.log",
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/prune.py"


rule list_layers:
    localrule: True
    params:
        backbone=settings.backbone,
        n_images=lambda wildcards: sizes.n_images,
    log:
        f"{layout.root}/logs/list_layers.log",
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/list_layers.py"

