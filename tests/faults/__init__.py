"""Faults of disks, files, weights, models, data and configurations: each ends in one line, or heals to the same bytes.

`make test-faults` runs them.
"""
