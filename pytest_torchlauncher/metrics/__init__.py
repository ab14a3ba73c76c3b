"""Metrics: evidence a sample, summarised to a value."""
