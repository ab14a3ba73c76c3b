"""The PyTorch launcher: from a `LauncherSpec` to a module that takes batches and gives named outputs."""
