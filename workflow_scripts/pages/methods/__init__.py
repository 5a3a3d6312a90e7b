"""The methods paragraph of a run, and the bibliography of what it cites."""
