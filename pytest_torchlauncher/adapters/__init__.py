"""Adapters: raw outputs of a model to typed predictions."""
