"""How a prompt is wrapped for a model: our own templates per profile, never the file's own.

The chat template inside a GGUF is program text of whoever made the file (CVE-2024-34359); it is
not read. A manifest names one of these profiles instead.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PromptProfile:
    """Text around a prompt, with the control tokens of the model's own convention."""

    before: str
    after: str
    instruction: str = ""
    """What a general model must be told; the built-in model knows its one task."""

    def wrap(self, prompt: str) -> str:
        """Return the text that goes to the tokenizer, which reads control tokens in it."""
        return f"{self.before}{self.instruction}{prompt}{self.after}"


_TASK = (
    "Write the sentences of a radiology report, one line for each item below, in the order given. "
    "Begin each line with its id in brackets. State nothing that is not in the item.\n\n"
)

PROFILES: dict[str, PromptProfile] = {
    "sightline": PromptProfile("<|bos|><|user|>\n", "<|eot|>\n<|assistant|>\n"),
    "chatml": PromptProfile(
        "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n", _TASK
    ),
    "gemma": PromptProfile(
        "<bos><start_of_turn>user\n", "<end_of_turn>\n<start_of_turn>model\n", _TASK
    ),
}
"""By name, as manifests give it: the built-in model, Qwen and MedVAL, MedGemma."""
