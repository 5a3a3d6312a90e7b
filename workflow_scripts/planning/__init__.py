"""Resources of jobs, the plan of a dry run, the summary after a run, the report, and the deletion of unused results."""
