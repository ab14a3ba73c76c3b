"""Annotation converters: one dataset format a file."""
