"""Readers: the bytes of one stored item to an array."""
