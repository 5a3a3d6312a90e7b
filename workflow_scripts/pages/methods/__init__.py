"""The paragraph on the methods of a run, and the bibliography of what it cites."""
