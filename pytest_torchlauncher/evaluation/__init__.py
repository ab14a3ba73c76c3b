"""One evaluation, from its plan to its measurement: read `evaluate` first."""
