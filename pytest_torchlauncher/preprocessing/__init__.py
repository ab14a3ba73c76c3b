"""Preprocessing: one step on a sample before it reaches the model."""
