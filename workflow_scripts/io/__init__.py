"""Read and write stores (HDF5 files), tables and images; run worker processes, choose devices, save checkpoints."""
