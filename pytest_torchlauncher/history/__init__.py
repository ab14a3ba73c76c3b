"""The history of runs: what was measured when, for trends and exports; imports neither torch nor numpy."""
