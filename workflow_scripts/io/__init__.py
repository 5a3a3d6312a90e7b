"""What all stages stand on: the store, its readers, images, processes, checkpoints."""
