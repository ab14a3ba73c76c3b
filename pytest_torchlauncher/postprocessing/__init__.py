"""Postprocessing: one step on an annotation and its prediction."""
