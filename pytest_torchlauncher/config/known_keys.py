"""Keys of the Accuracy Checker's files that this version accepts without effect, or knows and does not support yet."""

from __future__ import annotations

from typing import Final

__all__ = ["LATER_KEYS", "NO_EFFECT_KEYS"]

NO_EFFECT_KEYS: Final[dict[str, frozenset[str]]] = {
    "launcher": frozenset(
        """
        affinity_map allow_reshape_input async_mode backend bitstream caffe_model caffe_weights cpu_extensions
        custom_affinity_map device_config execution_providers gpu_extensions infer_raw_results kaldi_binaries_dir
        mo_flags mo_params model num_requests params predictions reset_memory_state saved_model_dir weights
        """.split()
    ),
    "dataset": frozenset(["analyze_dataset", "store_subset"]),
}
"""Accepted with a warning, so that files run unchanged."""

LATER_KEYS: Final[dict[str, frozenset[str]]] = {
    "dataset": frozenset(["sub_evaluation", "subset", "subset_file", "subset_metrics"]),
}
"""They would change the result: an error that says so is better than a wrong number."""
