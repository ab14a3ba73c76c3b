import torchvision


class TupleResNet18(torchvision.models.ResNet):
    """ResNet-18 that returns a tuple with one entry."""

    def __init__(self, num_classes=10):
        super().__init__(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2], num_classes=num_classes)

    def forward(self, input):  # noqa: A002  # the name that the case's files use
        return (super().forward(input),)
