"""A residual MLP for tables."""

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """Layer norm, a hidden layer with dropout, and a way around all of that."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.dropout = nn.Dropout(dropout)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout(torch.relu(self.up(self.norm(x))))
        return x + self.down(hidden)


class ResidualMlp(nn.Module):
    """Residual blocks with layer norm (Gorishniy et al., 2021)."""

    def __init__(
        self,
        features: int,
        classes: int,
        *,
        width: int = 32,
        hidden: int = 32,
        blocks: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.inputs = nn.Linear(features, width)
        self.blocks = nn.Sequential(
            *(Block(width, hidden, dropout) for _ in range(blocks))
        )
        self.norm = nn.LayerNorm(width)
        self.outputs = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(row, feature) to logits (row, class)."""
        return self.outputs(torch.relu(self.norm(self.blocks(self.inputs(x)))))
