"""From a dataset of the launcher file to batches of preprocessed samples."""
