"""Reading and writing of stores, tables and images; worker processes, devices and checkpoints."""
