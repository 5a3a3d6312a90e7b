"""Clustergrid: everything behind the workflow's rules, importable by itself."""
