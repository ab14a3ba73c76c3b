"""Modules that check what they are given and make scores of it."""

import torch


def score(value, classes=8):
    """Return scores (B, classes), in a tuple, that are highest at the rounded value and fall towards both sides."""
    classes = torch.arange(classes).float()
    distance = (classes - torch.round(value)[:, None] % len(classes)).abs()
    return (-torch.minimum(distance, len(classes) - distance) - 0.01 * classes,)


class Infos(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, img, im_info, im_info6, orig, scale, const, ids, mask=None):
        batch = img.shape[0]
        assert img.dtype == torch.float32
        assert img.shape[1:] == (3, 40, 56)
        assert im_info.shape == orig.shape == (batch, 3)
        assert im_info6.shape == (batch, 6)
        assert scale.shape == (batch, 2)
        assert im_info.dtype == const.dtype == torch.float32
        assert im_info6.dtype == ids.dtype == torch.int64
        assert im_info[0].tolist() == [40, 56, 1]
        assert im_info6[0].tolist() == [40, 56, 0, 0, 0, 0]
        assert mask is None
        assert torch.allclose(scale * orig[:, :2], im_info[:, :2])
        hue = img[:, 0].mean((1, 2)) * const[0, 0] + img[:, 2].mean((1, 2)) * const[0, 1]
        return score(hue + orig[:, 0] / 7 + scale[:, 1] * 10 + ids[0, 1])


class Processed(torch.nn.Module):
    def forward(self, img, proc):
        batch = img.shape[0]
        assert img.dtype == torch.uint8
        assert img.shape == (batch, 48, 32, 3)
        assert proc.dtype == torch.int32
        assert proc.tolist() == [[48, 32, 1]] * batch
        return score(img.float()[..., 0].mean((1, 2)) / 16)


class TwoViews(torch.nn.Module):
    def forward(self, a, b):
        assert torch.equal(a, b.permute(0, 3, 2, 1))
        return score(a[:, 2].mean((1, 2)) / 20)


class Original(torch.nn.Module):
    """What IMAGE_INFO is as it is documented: the size before preprocessing, which is that of ORIG_IMAGE_INFO."""

    def forward(self, img, im_info, orig):
        assert torch.equal(im_info, orig)
        assert im_info.shape == (img.shape[0], 3)
        assert im_info[:, :2].min() >= 100
        return score(img[:, 0].mean((1, 2)) / 32)
