"""What a run needs, what it says before and after, and what it leaves behind."""
