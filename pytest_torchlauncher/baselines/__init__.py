"""Baselines: what is stored beside a launcher file, and the verdict on a measurement; imports no torch."""
