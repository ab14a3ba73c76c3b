"""OpenCV, imported when it is first needed, on whichever thread that is."""

from __future__ import annotations

import functools
import threading
from typing import Any

__all__ = ["PATH_LOCK", "opencv"]

PATH_LOCK = threading.RLock()
"""Held by whoever changes ``sys.path``, as importing OpenCV does for a moment: a change in between would be lost."""


@functools.cache
def opencv() -> Any:
    """Return the module ``cv2``."""
    with PATH_LOCK:
        import cv2

        return cv2
