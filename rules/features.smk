# preprocess/{preprocess}.h5 -> features/{preprocess}/{backbone}/{layer}.h5, one rule for each pass of each backbone
WEIGHTS = f"{layout.root}/weights/{{backbone}}.json"


def weight_file(wildcards):
    """A weight file that the user brings is an input: another file under its name is another result."""
    weights = settings.backbones[wildcards.backbone].weights
    return weights if "/" in weights and ":" not in weights else []


rule weights:
    localrule: True
    input:
        weight_file,
    output:
        WEIGHTS,
    params:
        backbone=lambda wildcards: settings.backbones[wildcards.backbone].dump(exclude={"layers"}),
        layers=lambda wildcards: settings.backbones[wildcards.backbone].layers,
        code=code_digest("jobs.weights"),
    log:
        layout.log(WEIGHTS),
    benchmark:
        layout.benchmark(WEIGHTS)
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    conda:
        "../envs/gpu.yaml"
    script:
        "../workflow_scripts/jobs/weights.py"



for backbone, its in settings.backbones.items():
    for number, layers in enumerate(its.layers):

        rule:
            name:
                f"features_{backbone}_{number}"
            input:
                images=layout.preprocessed,
                weights=WEIGHTS.format(backbone=backbone),
            output:
                [
                    layout.features.format(preprocess="{preprocess}", backbone=backbone, layer=layer)
                    for layer in layers
                ],
            params:
                backbone=its.dump(exclude={"layers"}),
                layers=layers,
                device=settings.device,
                code=code_digest("jobs.features"),
            log:
                f"{layout.root}/logs/features/{{preprocess}}/{backbone}/{number}.log",
            benchmark:
                f"{layout.root}/benchmarks/features/{{preprocess}}/{backbone}/{number}.tsv"
            threads: 8
            resources:
                mem_mb=resources.features_mb(its),
                runtime=sizes.runtime_per_image(1.0),
                gpu=0 if settings.device == "cpu" else 1,
            conda:
                "../envs/gpu.yaml"
            script:
                "../workflow_scripts/jobs/features.py"
