# Targets that list unused results (prune) and the layers of a network (list_layers)
rule prune:
    log:
        f"{layout.root}/logs/prune.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        root=layout.root,
        wanted=lambda wildcards: prune.wanted_files(config_folder, settings, layout),
        delete=settings.delete,
    script:
        "../workflow_scripts/jobs/prune.py"


rule list_layers:
    log:
        f"{layout.root}/logs/list_layers.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        model=inputs.targets.listed_model,
        size=inputs.targets.listed_size,
        n_images=number_of_images,
    script:
        "../workflow_scripts/jobs/list_layers.py"
