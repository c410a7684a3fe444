"""Plain networks of torch: nothing here knows of cftrain."""

from example_networks.residual_mlp import ResidualMlp
from example_networks.resnet import ResNet

__all__ = ["ResNet", "ResidualMlp"]
