import torch

COLORS = ((210.0, 50.0, 50.0), (50.0, 200.0, 60.0), (60.0, 70.0, 220.0))


def detect(image, thresholds):
    """Return (label from 1, score, x0, y0, x1, y1) in px of each colour's blobs in the halves of `image` (3, H, W)."""
    found = []
    w = image.shape[-1]
    for label, color in enumerate(COLORS, 1):
        distance = (image - torch.tensor(color)[:, None, None]).abs().mean(0)
        for threshold in thresholds:
            near = distance < threshold
            for low, high in ((0, w // 2), (w // 2, w)):
                part = near[:, low:high]
                rows, columns = (part.sum(1) > 3).nonzero().flatten(), (part.sum(0) > 3).nonzero().flatten()
                if len(rows) < 2 or len(columns) < 2:
                    continue
                x0, x1, y0, y1 = columns[0] + low, columns[-1] + low + 1, rows[0], rows[-1] + 1
                score = near[y0:y1, x0:x1].float().mean() * (0.6 + 0.4 * (1 - threshold / 100))
                found.append((float(label), float(score), float(x0), float(y0), float(x1), float(y1)))
    return found


class SSDLike(torch.nn.Module):
    """Returns (1, 1, N, 7) as a detection output layer does, boxes from 0 to 1 and a little beyond."""

    def __init__(self, thresholds=(28.0, 40.0, 55.0)):
        super().__init__()
        self.thresholds = thresholds
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, input):  # noqa: A002  # the name that the case's files use
        rows = []
        for index, image in enumerate(input):
            _, h, w = image.shape
            for label, score, x0, y0, x1, y1 in detect(image, self.thresholds):
                rows.append([index, label, score, (x0 - 2) / w, (y0 - 2) / h, (x1 + 2) / w, (y1 + 2) / h])
        rows.append([-1.0] + [0.0] * 6)
        return (torch.tensor(rows)[None, None],)
