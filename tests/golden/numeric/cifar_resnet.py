"""The residual network for 32 px pictures that torchvision lacks."""

import torch.nn.functional as F
from torch import nn


class ShortcutA(nn.Module):
    """Option A: every second pixel, zero channels added on both sides."""

    def __init__(self, planes):
        super().__init__()
        self.pad = planes // 4

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))


class CifarBlock(nn.Module):
    """Two 3x3 convolutions with norms, and the shortcut around them."""

    def __init__(self, inplanes, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        same = stride == 1 and inplanes == planes
        self.shortcut = nn.Identity() if same else ShortcutA(planes)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.shortcut(x))


class CifarResNet(nn.Module):
    """The networks for 32 px pictures of He et al. 2015, section 4.2, of 6 n + 2 layers."""

    def __init__(self, num_classes, n):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self.stage(16, 16, 1, n)
        self.layer2 = self.stage(16, 32, 2, n)
        self.layer3 = self.stage(32, 64, 2, n)
        self.fc = nn.Linear(64, num_classes)

    @staticmethod
    def stage(inplanes, planes, stride, n):
        first = CifarBlock(inplanes, planes, stride)
        return nn.Sequential(first, *(CifarBlock(planes, planes, 1) for _ in range(n - 1)))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean(dim=(2, 3)))


def CifarResNet20(num_classes):
    """Three blocks in each layer."""
    return CifarResNet(num_classes, 3)
