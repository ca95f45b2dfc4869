"""The conventions of each family, as the data says them."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from inference.models.profiles import PROFILES, Profile, known_pairs

FAMILIES = {"sightline", "gemma", "qwen25vl", "qwen3vl", "internvl", "chatml"}


def test_every_family_has_its_profile_and_every_pair_belongs_to_one() -> None:
    assert set(PROFILES) == FAMILIES
    for architecture, projectors in known_pairs().items():
        for projector in projectors:
            assert any(one.fits(architecture, projector) for one in PROFILES.values())
    assert not PROFILES["gemma"].fits("gemma3", "qwen2.5vl_merger")
    assert not PROFILES["chatml"].fits("qwen2", "internvl")


def test_the_picture_of_each_family_has_the_tokens_its_maker_says() -> None:
    tokens = {}
    for name, profile in PROFILES.items():
        if profile.picture is not None:
            tokens[name] = profile.picture.tokens(profile.picture.prepare(1000, 1000))
    assert tokens == {
        "sightline": 36, "gemma": 256, "qwen3vl": 961, "internvl": 256, "qwen25vl": 1225,
    }  # fmt: skip


def test_medgemma_sees_at_most_85_slices_in_three_windows() -> None:
    plan = PROFILES["gemma"].volume
    assert plan is not None
    assert plan.choose(40) == tuple(range(40))
    chosen = plan.choose(300)
    assert len(chosen) == len(set(chosen)) == 85
    assert chosen[-1] == 299
    assert chosen[0] == round(1 / 85 * 299)
    assert plan.labels(300)[0] == "SLICE 1"
    assert plan.labels(300)[-1] == "SLICE 85"
    assert plan.context >= 85 * 256
    colour = plan.colour(np.array([[-1024.0, -135.0, 0.0, 80.0, 215.0, 1024.0]]))
    assert colour.dtype == np.uint8
    assert colour[0].tolist() == [
        [0, 0, 0], [111, 0, 0], [128, 98, 0], [137, 157, 255], [154, 255, 255], [255, 255, 255],
    ]  # fmt: skip


def test_a_prompt_is_wrapped_in_the_family_s_own_turns() -> None:
    gemma = PROFILES["gemma"].wrap("x")
    assert gemma.startswith("<bos><start_of_turn>user\n")
    assert gemma.endswith("x<end_of_turn>\n<start_of_turn>model\n")
    assert PROFILES["qwen25vl"].wrap("x").endswith("x<|im_end|>\n<|im_start|>assistant\n")
    assert PROFILES["chatml"].wrap("x").endswith("<think>\n\n</think>\n\n")
    assert PROFILES["sightline"].instruction == ""


def test_any_change_of_a_profile_changes_its_hash() -> None:
    profile = PROFILES["gemma"]
    assert profile.model_copy(update={"instruction": "Write."}).sha256 != profile.sha256
    assert profile.model_copy(update={"boxes": "qwen3vl"}).sha256 != profile.sha256
    assert len({one.sha256 for one in PROFILES.values()}) == len(FAMILIES)


def test_a_profile_that_cannot_be_is_refused() -> None:
    data = PROFILES["chatml"].model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="no convention of boxes"):
        Profile.model_validate(data | {"boxes": "mine"})
    with pytest.raises(ValidationError, match="without pictures"):
        Profile.model_validate(data | {"boxes": "qwen3vl"})
