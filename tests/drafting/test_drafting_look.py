"""What a model proposes comes back in the image's pixels, on the geometry's side, as a candidate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from inference.drafting.look import KeyPicture, Proposal, look, see_with, view_of
from inference.models.generation import Choice, Generation
from inference.models.letterbox import Letterbox
from inference.models.look_form import FORMS
from reports.domain import EvidenceKind, ModelStamp, ReportDefault, Side, SourceKind

STAMP = ModelStamp(name="eyes", sha256="ab" * 32, licence="Apache-2.0", demonstration=True)


def spot_of(grey: npt.NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """The bright rectangle of a picture, in shares of its side."""
    rows, columns = np.nonzero((grey > 100).any(1))[0], np.nonzero((grey > 100).any(0))[0]
    size = grey.shape[0]
    return (
        columns[0] / size, rows[0] / size, (columns[-1] + 1) / size, (rows[-1] + 1) / size,
    )  # fmt: skip


def see_spot(grey: npt.NDArray[np.uint8], view: str) -> list[Proposal]:
    """A model that sees the bright rectangle and says that it is a nodule on the left."""
    return [Proposal("nodule", "left", spot_of(grey), 0.8)]


def key(grey: npt.NDArray[np.uint8], **more: object) -> KeyPicture:
    return KeyPicture(grey, "chest film", "1.2", "1.2.3", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "columns", "aspect", "mirrored"),
    [(500, 400, 1.0, False), (300, 700, 1.0, True), (150, 400, 2.0, False), (97, 61, 0.7, True)],
)
def test_a_box_that_was_drawn_is_the_box_that_comes_back(
    rows: int, columns: int, aspect: float, mirrored: bool
) -> None:
    grey = np.zeros((rows, columns), dtype=np.uint8)
    top, left, bottom, right = (
        int(rows * 0.5),
        int(columns * 0.2),
        int(rows * 0.8),
        int(columns * 0.5),
    )
    grey[top:bottom, left:right] = 220
    picture = key(grey, aspect=aspect, left_at_right=not mirrored)
    (candidate,) = look([picture], see_spot, size=192, model=STAMP)
    (x0, y0), (x1, y1) = candidate.regions[0].points
    # One pixel of the input, in pixels of the image: what reading the drawn edge can be off by.
    pixel = max(columns, rows * aspect) / 192
    assert (x0, x1) == pytest.approx((left - 0.5, right - 0.5), abs=pixel)
    assert (y0, y1) == pytest.approx((top - 0.5, bottom - 0.5), abs=pixel / aspect)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_way_in_and_back_is_exact(mirrored: bool) -> None:
    fit = Letterbox(431, 277, 192, aspect=1.3, mirrored=mirrored)
    box = (12.25, 40.0, 201.5, 333.0)
    assert fit.to_image(fit.to_share(box)) == pytest.approx(box, abs=1e-9)


def test_an_image_of_the_models_size_goes_in_untouched() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (192, 192), dtype=np.uint8)
    assert np.array_equal(Letterbox(192, 192, 192).apply(grey), grey)


def test_a_candidate_is_the_models_word_and_no_sentence() -> None:
    grey = np.zeros((100, 100), dtype=np.uint8)
    grey[40:60, 20:40] = 255
    (one,) = look([key(grey)], see_spot, size=192, model=STAMP, first=7)
    assert (one.id, one.kind, one.report_default) == (
        "E7", EvidenceKind.CANDIDATE, ReportDefault.LEDGER_ONLY,
    )  # fmt: skip
    assert (one.source.kind, one.source.sha256) == (SourceKind.MODEL, STAMP.sha256)
    assert one.confidence == 0.8
    assert (one.concept.value, one.concept.scheme) == ("27925004", "SCT")
    assert any("demonstration" in warning for warning in one.warnings)


def test_the_side_is_the_geometrys_and_the_model_is_contradicted() -> None:
    grey = np.zeros((100, 100), dtype=np.uint8)
    grey[40:60, 20:40] = 255
    (unknown,) = look([key(grey, left_at_right=True)], see_spot, size=192, model=STAMP)
    assert unknown.side is Side.UNKNOWN  # nobody said where the middle is
    (right,) = look([key(grey, left_at_right=True, middle=50.0)], see_spot, size=192, model=STAMP)
    assert right.side is Side.RIGHT
    assert "the model says left, the geometry of the image says right" in right.warnings
    (left,) = look([key(grey, left_at_right=False, middle=50.0)], see_spot, size=192, model=STAMP)
    assert left.side is Side.LEFT
    (near,) = look([key(grey, left_at_right=True, middle=31.0)], see_spot, size=192, model=STAMP)
    assert near.side is Side.UNKNOWN


def test_a_filled_in_form_becomes_proposals_with_the_probability_of_its_answer() -> None:
    form = "<haemorrhage><yes><left><032><016><064><080>"

    def ask(rgb: npt.NDArray[np.uint8], question: str, gbnf: str) -> Generation:
        assert rgb.shape == (192, 192, 3)
        assert question == "head slice"
        assert gbnf.startswith('root ::= "<haemorrhage>" answer')
        return Generation(form, 7, 0.1, choices=(Choice(13, "<yes>", 0.75),))

    proposals = see_with(ask)(np.zeros((192, 192), dtype=np.uint8), "head slice")
    assert proposals == (Proposal("haemorrhage", "left", (0.25, 0.125, 0.5, 0.625), 0.75),)


def test_only_what_a_form_was_made_for_is_asked() -> None:
    assert {view_of("DX", "chest"), view_of("CT", "chest"), view_of("CT", "head")} == set(FORMS)
    assert view_of("MR", "head") is None
    assert view_of("DX", "") is None


def test_what_lies_in_the_black_margin_only_is_no_candidate() -> None:
    grey = np.zeros((200, 100), dtype=np.uint8)  # narrow: black at both sides of the input
    outside = Proposal("mass", "right", (0.0, 0.3, 0.1, 0.5), 0.9)
    assert look([key(grey)], lambda grey, view: [outside], size=192, model=STAMP) == ()
