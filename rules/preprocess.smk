# images.csv and images -> preprocess/{preprocess}.h5, one job for each variant. These jobs take all cores, as those of
# networks and descriptors do. They come first: jobs of one core would leave no moment at which all cores are free.
rule preprocess:
    input:
        images=inputs.intake.images_table,
    output:
        layout.preprocessed,
    log:
        layout.log(layout.preprocessed),
    benchmark:
        layout.benchmark(layout.preprocessed)
    priority: 2
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=sizes.preprocess_mb,
        runtime=sizes.runtime_per_image(0.1),
    params:
        folder=inputs.intake.images_folder,
        max_pixels=settings.intake.max_pixels,
        steps=lambda wildcards: settings.preprocess[wildcards.preprocess].dump()[
            "steps"
        ],
        code=lambda wildcards: code_digest(
            "jobs.preprocess",
            *(
                f"preprocess.{step.step}"
                for step in settings.preprocess[wildcards.preprocess].steps
            ),
        ),
    script:
        "../workflow_scripts/jobs/preprocess.py"
