"""A small language model whose arithmetic is that of llama.cpp's architecture "qwen3".

Pre-norm blocks, RMSNorm without +1, grouped-query attention with RMSNorm on each head's query and
key before a rotation of the pairs (i, i + h/2), SwiGLU, output tied to the embedding, no biases.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import torch
from torch import nn

Tensor: TypeAlias = torch.Tensor


@dataclass(frozen=True)
class ModelShape:
    """Sizes of the model; every row length is a multiple of 32, as Q8_0 needs."""

    vocabulary: int = 768
    width: int = 192
    feed_forward: int = 512
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 2
    head_width: int = 48
    epsilon: float = 1e-6
    rope_base: float = 10000.0
    context: int = 2048

    def as_dict(self) -> dict[str, Any]:
        """Return the sizes for a checkpoint."""
        return asdict(self)


class RMSNorm(nn.Module):  # type: ignore[misc]
    """x / rms(x) * weight, in float32."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight
        return scaled.to(x.dtype)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotate the pairs (i, i + h/2) of (batch, head, position, h) by their position's angles."""
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], -1)


class Block(nn.Module):  # type: ignore[misc]
    """Attention and feed-forward of one layer."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        width, head = shape.width, shape.head_width
        self.attn_norm = RMSNorm(width, shape.epsilon)
        self.ffn_norm = RMSNorm(width, shape.epsilon)
        self.attn_q = nn.Linear(width, shape.heads * head, bias=False)
        self.attn_k = nn.Linear(width, shape.key_value_heads * head, bias=False)
        self.attn_v = nn.Linear(width, shape.key_value_heads * head, bias=False)
        self.attn_output = nn.Linear(shape.heads * head, width, bias=False)
        self.attn_q_norm = RMSNorm(head, shape.epsilon)
        self.attn_k_norm = RMSNorm(head, shape.epsilon)
        self.ffn_gate = nn.Linear(width, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(width, shape.feed_forward, bias=False)
        self.ffn_down = nn.Linear(shape.feed_forward, width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, hidden: Tensor) -> Tensor:
        """Add this layer to the stream; `hidden` is true where a position may not look."""
        shape = self.shape
        batch, length, _ = x.shape
        y = self.attn_norm(x)
        q = self.attn_q_norm(self.attn_q(y).view(batch, length, shape.heads, -1)).transpose(1, 2)
        k = self.attn_k_norm(self.attn_k(y).view(batch, length, shape.key_value_heads, -1)).transpose(
            1, 2
        )
        v = self.attn_v(y).view(batch, length, shape.key_value_heads, -1).transpose(1, 2)
        q, k = rotate(q, cosine, sine).to(v.dtype), rotate(k, cosine, sine).to(v.dtype)
        repeat = shape.heads // shape.key_value_heads
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        # Written out: torch's fused CPU kernel is several times slower in training at this size.
        scores = (q @ k.transpose(-1, -2)) * shape.head_width**-0.5
        mixed = scores.masked_fill(hidden, -1e4).softmax(-1).to(v.dtype) @ v
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(batch, length, -1))
        y = self.ffn_norm(x)
        return x + self.ffn_down(nn.functional.silu(self.ffn_gate(y)) * self.ffn_up(y))


class LanguageModel(nn.Module):  # type: ignore[misc]
    """Tokens to logits."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RMSNorm(shape.width, shape.epsilon)
        head = shape.head_width
        inverse = shape.rope_base ** (-torch.arange(0, head, 2).float() / head)
        angles = torch.outer(torch.arange(shape.context).float(), inverse)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)
        self._start()

    def _start(self) -> None:
        """Set the starting weights: small, and smaller where a layer adds to the stream."""
        for name, weight in self.named_parameters():
            if weight.dim() < 2:
                continue
            deep = name.endswith(("attn_output.weight", "ffn_down.weight"))
            scale = math.sqrt(2 * self.shape.layers) if deep else 1.0
            spread = 0.02 if name.startswith("token_embd") else 0.03
            nn.init.normal_(weight, std=spread / scale)
        for block in self.blk:
            # Queries that look for keys like themselves: what copying from the prompt begins with.
            nn.init.orthogonal_(block.attn_k.weight)
            head = self.shape.head_width
            for number in range(self.shape.heads):
                shared = number * self.shape.key_value_heads // self.shape.heads
                source = block.attn_k.weight.data[shared * head : (shared + 1) * head]
                block.attn_q.weight.data[number * head : (number + 1) * head].copy_(source)

    def states(self, tokens: Tensor) -> Tensor:
        """Return the normalised states of (batch, position) tokens."""
        length = tokens.shape[1]
        hidden = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        return self.run(self.token_embd(tokens), hidden)

    def run(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Return the normalised states of (batch, position, width) inputs.

        Parameters
        ----------
        hidden
            (position, position), true where the first may not look at the second.
        """
        cosine, sine = self.cosine[: x.shape[1]], self.sine[: x.shape[1]]
        for block in self.blk:
            x = block(x, cosine, sine, hidden)
        return self.output_norm(x)

    def logits(self, states: Tensor) -> Tensor:
        """Return the logits of states; the output layer is the embedding."""
        return states @ self.token_embd.weight.t()
