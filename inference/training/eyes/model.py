"""A vision encoder and its projector with the arithmetic of libmtmd's "gemma3" projector files.

Patches of 16 pixels as one matrix, pre-norm blocks with biases, tanh GELU, a last LayerNorm; then the
mean of 2 x 2 patches, RMSNorm, and one matrix to the width of the language model. In that the image's
tokens see each other in both directions. The heads at the end are for training only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from inference.models.look_form import KINDS
from inference.training.eyes.pictures import SIZE
from inference.training.model import LanguageModel, ModelShape, RMSNorm

Tensor: TypeAlias = torch.Tensor

ORGANS = 3
MEAN = DEVIATION = 0.5
"""What grey levels from 0 to 1 are brought to, in each channel."""


@dataclass(frozen=True)
class EyesShape:
    """Sizes of the vision encoder; `feed_forward` must differ from `width` (the loader swaps them)."""

    size: int = SIZE
    patch: int = 16
    width: int = 192
    feed_forward: int = 768
    layers: int = 6
    heads: int = 4
    merge: int = 2
    epsilon: float = 1e-6

    @property
    def grid(self) -> int:
        """Patches along a side."""
        return self.size // self.patch

    @property
    def tokens(self) -> int:
        """Tokens that a picture takes in the language model."""
        return (self.grid // self.merge) ** 2

    def as_dict(self) -> dict[str, Any]:
        """Return the sizes for a checkpoint."""
        return asdict(self)


class EyesBlock(nn.Module):  # type: ignore[misc]
    """Attention and feed-forward of one layer of the encoder."""

    def __init__(self, shape: EyesShape) -> None:
        super().__init__()
        self.heads = shape.heads
        width = shape.width
        self.ln1 = nn.LayerNorm(width, eps=shape.epsilon)
        self.ln2 = nn.LayerNorm(width, eps=shape.epsilon)
        self.attn_q, self.attn_k, self.attn_v, self.attn_out = (
            nn.Linear(width, width) for _ in range(4)
        )
        self.ffn_up = nn.Linear(width, shape.feed_forward)
        self.ffn_down = nn.Linear(shape.feed_forward, width)

    def forward(self, x: Tensor) -> Tensor:
        """Add this layer to the stream."""
        batch, length, width = x.shape
        y = self.ln1(x)
        q, k, v = (
            part(y).view(batch, length, self.heads, -1).transpose(1, 2)
            for part in (self.attn_q, self.attn_k, self.attn_v)
        )
        scores = (q @ k.transpose(-1, -2)) * (width // self.heads) ** -0.5
        mixed = (scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.attn_out(mixed)
        return x + self.ffn_down(nn.functional.gelu(self.ffn_up(self.ln2(x)), approximate="tanh"))


class Eyes(nn.Module):  # type: ignore[misc]
    """Grey pictures to tokens of the language model."""

    def __init__(self, shape: EyesShape, language_width: int) -> None:
        super().__init__()
        self.shape = shape
        self.patch_embd = nn.Linear(shape.patch**2, shape.width)
        self.position_embd = nn.Parameter(0.7 * torch.from_numpy(_places(shape.grid, shape.width)))
        self.blk = nn.ModuleList(EyesBlock(shape) for _ in range(shape.layers))
        self.post_ln = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.soft_emb_norm = RMSNorm(shape.width, shape.epsilon)
        self.input_projection = nn.Parameter(
            torch.randn(shape.width, language_width) * shape.width**-0.5
        )
        for block in self.blk:
            nn.init.orthogonal_(block.attn_q.weight)
            block.attn_k.weight.data.copy_(block.attn_q.weight.data)
            for last in (block.attn_out, block.ffn_down):
                last.weight.data.mul_((2 * shape.layers) ** -0.5)

    def patches(self, pixels: Tensor) -> Tensor:
        """Cut (batch, row, column) grey levels into rows of patches, normalised as libmtmd does."""
        shape = self.shape
        x = (pixels.float() / 255 - MEAN) / DEVIATION
        x = x.view(-1, shape.grid, shape.patch, shape.grid, shape.patch).transpose(2, 3)
        return x.reshape(-1, shape.grid**2, shape.patch**2)

    def whiten(self, pixels: Tensor) -> None:
        """Start the patch filters as the main components of these pictures, each of the same size."""
        rows = self.patches(pixels).reshape(-1, self.shape.patch**2).double().numpy()
        middle = rows.mean(0)
        spread, parts = np.linalg.eigh(np.cov((rows - middle).T))
        kept = slice(None, -self.shape.width - 1, -1)
        filters = (parts[:, kept] / (np.sqrt(np.maximum(spread[kept], 0)) + 0.05)).T
        self.patch_embd.weight.data.copy_(torch.from_numpy(filters))
        self.patch_embd.bias.data.copy_(torch.from_numpy(-filters @ middle))

    def features(self, pixels: Tensor) -> Tensor:
        """Return (batch, patch, width) features, row by row."""
        x = self.patch_embd(self.patches(pixels)) + self.position_embd
        for block in self.blk:
            x = block(x)
        return self.post_ln(x)

    def project(self, features: Tensor) -> Tensor:
        """Return (batch, token, language width) of features."""
        shape = self.shape
        x = features.transpose(1, 2).reshape(-1, shape.width, shape.grid, shape.grid)
        x = nn.functional.avg_pool2d(x, shape.merge).flatten(2).transpose(1, 2)
        return self.soft_emb_norm(x) @ self.input_projection


class Heads(nn.Module):  # type: ignore[misc]
    """What the features are taught by: an outline map, and kind and box for each image token."""

    CELLS = 4
    """Cells of the outline map along a side of a patch."""

    def __init__(self, shape: EyesShape, language_width: int) -> None:
        super().__init__()
        kinds = len(KINDS)
        self.outline = nn.Linear(shape.width, (kinds + ORGANS) * self.CELLS**2)
        self.norm = nn.LayerNorm(language_width)
        self.kind = nn.Linear(language_width, kinds)
        self.box = nn.Linear(language_width, kinds * 4)
        for layer in (self.outline, self.kind):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.constant_(layer.bias, -3.0)
        nn.init.normal_(self.box.weight, std=0.02)
        nn.init.constant_(self.box.bias, 0.5)

    def forward(self, features: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return outline logits, kind logits and boxes (shares of the picture)."""
        seen = self.norm(tokens.float())
        boxes = self.box(seen).unflatten(-1, (len(KINDS), 4))
        return self.outline(features.float()), self.kind(seen), boxes


class Pair(nn.Module):  # type: ignore[misc]
    """Encoder, language model and the heads for training."""

    def __init__(self, eyes: EyesShape, language: ModelShape) -> None:
        super().__init__()
        self.eyes = Eyes(eyes, language.width)
        self.language = LanguageModel(language)
        self.heads = Heads(eyes, language.width)

    def states(self, before: Tensor, seen: Tensor, behind: Tensor) -> Tensor:
        """Return the states from the last image token on: those that predict `behind` and its end.

        Parameters
        ----------
        before, behind
            Tokens (position) in front of the image, and (batch, position) behind it.
        seen
            Image tokens (batch, token, width).
        """
        embed = self.language.token_embd
        x = torch.cat([embed(before).expand(len(seen), -1, -1), seen, embed(behind)], 1)
        start, end = len(before), len(before) + seen.shape[1]
        hidden = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        hidden[start:end, start:end] = False
        return self.language.run(x, hidden)[:, end - 1 :]


def _places(grid: int, width: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return sines and cosines of row and column for each patch."""
    speeds = 100.0 ** -(np.arange(width // 4) / (width // 4))
    angles = np.outer(np.arange(grid), speeds)
    waves = np.concatenate([np.sin(angles), np.cos(angles)], 1)
    table = np.concatenate([np.repeat(waves, grid, 0), np.tile(waves, (grid, 1))], 1)
    return table.astype(np.float32)
