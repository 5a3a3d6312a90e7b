# preprocess/{preprocess}.h5 -> features/{preprocess}/{backbone}/{layer}.h5, one rule for each pass of each backbone
rule weights:
    input:
        [
            layout.weights.format(backbone=backbone)
            for backbone, variant in settings.backbones.items()
            if variant.weights not in (None, "none")
        ],
    localrule: True


rule fetch_weights:
    input:
        inputs.features.weight_file,
    output:
        layout.weights,
    log:
        layout.log(layout.weights),
    benchmark:
        layout.benchmark(layout.weights)
    localrule: True
    conda:
        "../envs/gpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        backbone=lambda wildcards: settings.backbones[wildcards.backbone].network(),
        state=inputs.state_of(inputs.features.weight_file),
        code=code_of("jobs.weights"),
    script:
        "../workflow_scripts/jobs/weights.py"


rule finetune:
    input:
        images=inputs.features.images_to_learn_from,
        manifest=layout.manifest,
        weights=layout.weights,
    output:
        weights=layout.finetuned,
        curves=beside(layout.finetuned, ".csv"),
        predictions=beside(layout.finetuned, ".predictions.csv"),
        calibration=beside(layout.finetuned, ".calibration.csv"),
    log:
        layout.log(layout.finetuned),
    benchmark:
        layout.benchmark(layout.finetuned)
    priority: 1
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=sizes.finetune_mb,
        runtime=sizes.runtime_per_image(20.0),
        gpu=network_gpus,
    params:
        backbone=lambda wildcards: settings.backbones[wildcards.backbone].network(),
        finetune=lambda wildcards: settings.backbones[
            wildcards.backbone
        ].finetune.dump(),
        device=settings.device,
        code=code_of("jobs.finetune"),
    script:
        "../workflow_scripts/jobs/finetune.py"


for backbone, variant in settings.backbones.items():
    for number, layers in enumerate(variant.passes):
        # A rule can have only one script, so each kind of backbone has a rule of its own. The paths are those of all.
        of_layers = [
            filled(layout.features, backbone=backbone, layer=layer) for layer in layers
        ]
        of_pass = filled(layout.features, backbone=backbone, layer=number)
        parts = inputs.features.part_files(backbone, layers[0])
        if parts:

            rule:
                name:
                    f"features_{backbone}_{number}"
                input:
                    parts=parts,
                output:
                    of_layers,
                log:
                    layout.log(of_pass),
                benchmark:
                    layout.benchmark(of_pass)
                conda:
                    "../envs/cpu.yaml"
                threads: 1
                resources:
                    mem_mb=sizes.stream_mb,
                    runtime=sizes.runtime_per_image(0.05),
                params:
                    layer=layers[0],
                    backbones=list(variant.parts),
                    code=code_of("jobs.join"),
                script:
                    "../workflow_scripts/jobs/join.py"

        elif variant.makes_features == "features":
            shards = inputs.features.shard_files(backbone, layers)
            pattern = layout.shards if shards else layout.features
            written = [
                filled(pattern, backbone=backbone, layer=layer) for layer in layers
            ]
            of_job = filled(pattern, backbone=backbone, layer=number)

            rule:
                name:
                    f"{'shards' if shards else 'features'}_{backbone}_{number}"
                input:
                    images=inputs.features.images_for(backbone),
                    weights=inputs.features.weights_of(backbone),
                output:
                    temp(written) if shards else written,
                log:
                    layout.log(of_job),
                benchmark:
                    layout.benchmark(of_job)
                priority: 1
                conda:
                    "../envs/gpu.yaml"
                threads: 8
                resources:
                    mem_mb=sizes.features_mb(backbone),
                    runtime=sizes.runtime_per_image(variant.n_views / variant.shards),
                    gpu=network_gpus,
                params:
                    backbone=inputs.features.frozen_network(backbone),
                    layers=layers,
                    device=settings.device,
                    code=code_of("jobs.features", "jobs.join_shards"),
                script:
                    "../workflow_scripts/jobs/features.py"

            if shards:

                # Input and params are those of the rule without shards, so that nothing is made again if `shards`
                # changes. Snakemake does not record the stores of the shards (see common.smk).
                rule:
                    name:
                        f"features_{backbone}_{number}"
                    input:
                        images=inputs.features.images_for(backbone),
                        weights=inputs.features.weights_of(backbone),
                        shards=shards,
                    output:
                        of_layers,
                    log:
                        layout.log(of_pass),
                    benchmark:
                        layout.benchmark(of_pass)
                    conda:
                        "../envs/gpu.yaml"
                    threads: 1
                    resources:
                        mem_mb=sizes.stream_mb,
                        runtime=sizes.runtime_per_image(0.05),
                    params:
                        backbone=inputs.features.frozen_network(backbone),
                        layers=layers,
                        device=settings.device,
                        code=code_of("jobs.features", "jobs.join_shards"),
                    script:
                        "../workflow_scripts/jobs/join_shards.py"

        elif variant.makes_features == "describe":

            rule:
                name:
                    f"features_{backbone}_{number}"
                input:
                    images=inputs.features.images_for(backbone),
                output:
                    of_layers,
                log:
                    layout.log(of_pass),
                benchmark:
                    layout.benchmark(of_pass)
                priority: 1
                conda:
                    "../envs/cpu.yaml"
                threads: 8
                resources:
                    mem_mb=sizes.stream_mb,
                    runtime=sizes.runtime_per_image(0.5 * variant.n_views),
                params:
                    backbone=variant.network(),
                    code=code_of(
                        "jobs.describe", f"backbones.descriptors.{variant.descriptor}"
                    ),
                script:
                    "../workflow_scripts/jobs/describe.py"

        else:

            rule:
                name:
                    f"features_{backbone}_{number}"
                input:
                    table=inputs.features.feature_file(backbone),
                    manifest=layout.manifest,
                output:
                    of_layers,
                log:
                    layout.log(of_pass),
                benchmark:
                    layout.benchmark(of_pass)
                conda:
                    "../envs/cpu.yaml"
                threads: 1
                resources:
                    mem_mb=sizes.stream_mb,
                    runtime=sizes.runtime_per_image(0.01),
                params:
                    backbone=variant.network(),
                    state=inputs.state_of(inputs.features.feature_file(backbone)),
                    code=code_of("jobs.bring"),
                script:
                    "../workflow_scripts/jobs/bring.py"


rule export_features:
    input:
        features=layout.features,
        manifest=layout.manifest,
    output:
        layout.exported,
    log:
        layout.log(f"{layout.exported}.log"),
    benchmark:
        layout.benchmark(f"{layout.exported}.tsv")
    wildcard_constraints:
        layer=r"[^/@]+",
        format=r"npz|parquet|csv|h5",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=sizes.runtime_per_image(0.01),
    params:
        code=code_of("jobs.export"),
    script:
        "../workflow_scripts/jobs/export.py"


# `snakemake export` writes the features of all cells as tables for other programs.
rule export:
    input:
        inputs.features.exported,
    localrule: True
