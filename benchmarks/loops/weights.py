"""State dicts with seeded random weights that tell the images apart, and labels that the models hit now and then.

    python weights.py FOLDER MODEL...

Random weights alone name the same few classes for every image, and another preprocessing would change nothing. So the
batch norms get the statistics of some images, and the classifier's bias takes off what is the same in all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torchvision
from by_hand import batch

SETTLING = 32
# Places of the labels among the classes that a model names: half of them first, a fourth within the first five.
PLACES = (0, 0, 3, 7)


def settled(name: str, images: torch.Tensor) -> torch.nn.Module:
    """Return the model with statistics and a bias that fit `images` (B, 3, 224, 224)."""
    torch.manual_seed(0)
    model = getattr(torchvision.models, name)().eval()
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.train().momentum = None
    model(images)
    model.eval()
    # The last parameter of each of these models is the bias of its classifier.
    [*_, bias] = model.parameters()
    bias -= model(images).mean(dim=0)
    return model


def main(folder: Path, names: list[str]) -> None:
    """Write `<model>.pt` for each name, and `val.txt`: each image's label is due to one of the models."""
    paths = sorted((folder / "images").iterdir())
    images = batch(paths[:SETTLING])
    labels: dict[str, int] = {}
    for index, name in enumerate(names):
        model = settled(name, images)
        torch.save(model.state_dict(), folder / f"{name}.pt")
        own = paths[index :: len(names)]
        ranking = model(batch(own)).argsort(dim=1, descending=True)
        labels |= {path.name: int(ranking[row, PLACES[row % len(PLACES)]]) for row, path in enumerate(own)}
    (folder / "val.txt").write_text("".join(f"{path.name} {labels[path.name]}\n" for path in paths))


if __name__ == "__main__":
    with torch.no_grad():
        main(Path(sys.argv[1]), sys.argv[2:])
