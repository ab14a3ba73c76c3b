"""Configs of the Accuracy Checker rewritten into launcher files."""
