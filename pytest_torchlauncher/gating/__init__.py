"""The verdict on a measurement: what changed since the baseline decides how much may change; imports no torch."""
