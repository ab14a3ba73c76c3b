"""A small convolutional network for handwritten digits of 8×8 pixels."""

from __future__ import annotations

import torch
from torch import nn


class DigitsCNN(nn.Module):
    """Ten scores from a gray image of 8×8 pixels; 38,378 parameters.

    Args:
        log_probabilities: whether to return ``{"log_probabilities": (N, 10)}`` instead of logits (N, 10).
    """

    def __init__(self, log_probabilities: bool = False) -> None:
        super().__init__()
        self.log_probabilities = log_probabilities
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, image: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        """Return the scores of `image`, (N, 1, 8, 8) float32 from 0 to 1."""
        logits = self.classifier(self.features(image))
        return {"log_probabilities": logits.log_softmax(1)} if self.log_probabilities else logits
