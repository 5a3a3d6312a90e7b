"""Estimate the resources of jobs, print the plan and the summary of a run, write the report, delete unused results."""
