"""Two small networks that find circles, squares and triangles."""

from __future__ import annotations

import torch
from torch import nn
from torchvision.ops import batched_nms

STRIDE = 8


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class ShapeDetector(nn.Module):
    """Finds shapes by the cell, 8×8 px, that their centre lies in.

    Takes images (B, 3, H, W) from 0 to 1; in evaluation returns, as torchvision's detectors do, a list of dicts with
    ``boxes`` (N, 4) in px of the input, ``labels`` (N,) from 1 and ``scores`` (N,).
    """

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _block(3, 16), _block(16, 24, 2), _block(24, 32, 2), _block(32, 48, 2), _block(48, 48), _block(48, 48)
        )
        self.head = nn.Conv2d(48, 1 + classes + 4, 1)

    def raw(self, images: torch.Tensor) -> torch.Tensor:
        """Return (B, h, w, 1 + classes + 4): the logit of a shape, those of the classes, offset and size in cells."""
        return self.head(self.features(images)).permute(0, 2, 3, 1)

    def forward(self, images: torch.Tensor) -> list[dict[str, torch.Tensor]]:
        return [self._detections(cells, images.shape[-2:]) for cells in self.raw(images)]

    def _detections(self, cells: torch.Tensor, size: torch.Size) -> dict[str, torch.Tensor]:
        rows, columns = torch.meshgrid(*(torch.arange(n, device=cells.device) for n in cells.shape[:2]), indexing="ij")
        centers = (torch.stack((columns, rows), -1) + cells[..., -4:-2]) * STRIDE
        sizes = cells[..., -2:].exp() * STRIDE
        boxes = torch.cat((centers - sizes / 2, centers + sizes / 2), -1).reshape(-1, 4)
        chances, labels = cells[..., 1:-4].softmax(-1).max(-1)
        scores = (cells[..., 0].sigmoid() * chances).reshape(-1)
        kept = (scores > 0.05).nonzero()[:, 0]
        kept = kept[batched_nms(boxes[kept], scores[kept], labels.reshape(-1)[kept], 0.5)]
        height, width = size
        limits = torch.tensor([width, height, width, height], device=boxes.device)
        return {
            "boxes": boxes[kept].clamp(min=0).minimum(limits),
            "labels": labels.reshape(-1)[kept] + 1,
            "scores": scores[kept],
        }


class ShapeSegmenter(nn.Module):
    """Scores every pixel over four classes; takes (B, 3, H, W) from 0 to 1 and returns ``out`` (B, 4, H, W)."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.down = nn.Sequential(_block(3, 12), _block(12, 24, 2), _block(24, 32, 2), _block(32, 32), _block(32, 32))
        self.fine = _block(3, 12)
        self.head = nn.Conv2d(44, classes, 3, padding=1)

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        coarse = nn.functional.interpolate(self.down(images), images.shape[-2:], mode="bilinear", align_corners=False)
        return {"out": self.head(torch.cat((coarse, self.fine(images)), 1))}
