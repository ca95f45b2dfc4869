"""What an image lost to compression: as its header says, whatever its transfer syntax (C.7.6.1.1.5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from viewer.imaging.index import index_paths
from viewer.imaging.lossy import LossyStep, lossy_steps
from viewer.imaging.reader import Reader
from viewer.imaging.study import Instance

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]

LOSSY_SYNTAXES = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)


@pytest.fixture
def lossy_slice(ct_slice: Make, tmp_path: Path) -> tuple[Dataset, Path]:
    return ct_slice(LossyImageCompression="01"), tmp_path / "a.dcm"


@pytest.mark.parametrize(
    ("ratio", "method", "steps"),
    [
        (None, None, (LossyStep("", None),)),
        ([9.8], ["ISO_10918_1"], (LossyStep("JPEG", 9.8),)),
        (
            [5, 12.5],
            ["ISO_10918_1", "ISO_15444_1"],
            (LossyStep("JPEG", 5.0), LossyStep("JPEG 2000", 12.5)),
        ),
        ([5, 12.5], ["ISO_10918_1"], (LossyStep("JPEG", 5.0), LossyStep("", 12.5))),
        (None, ["ISO_14495_1"], (LossyStep("JPEG-LS", None),)),
        ([0, -1], None, (LossyStep("", None), LossyStep("", None))),
        (None, ["SOMETHING"], (LossyStep("", None),)),
    ],
)
def test_every_compression_of_the_header_is_a_step(
    lossy_slice: tuple[Dataset, Path],
    ratio: list[float] | None,
    method: list[str] | None,
    steps: tuple[LossyStep, ...],
) -> None:
    ds, path = lossy_slice
    if ratio is not None:
        ds.LossyImageCompressionRatio = ratio
    if method is not None:
        ds.LossyImageCompressionMethod = method
    ds.save_as(path, enforce_file_format=True)
    assert lossy_steps(only(path)) == steps


def only(path: Path) -> Instance:
    return index_paths([str(path)]).studies[0].series[0].instances[0]


def test_an_image_stored_without_loss_may_have_been_lossy(
    ct_slice: Make, save: Save, tmp_path: Path
) -> None:
    path = save(ct_slice(LossyImageCompression="01"), tmp_path / "a.dcm")
    assert only(path).transfer_syntax_uid == "1.2.840.10008.1.2.1"
    assert lossy_steps(only(path))


@pytest.mark.shared
def test_a_lossy_transfer_syntax_alone_says_nothing(shared_data: Path) -> None:
    silent = []
    for path in sorted((shared_data / "transfer-syntax").rglob("*.dcm")):
        index = index_paths([str(path)])
        if not index.studies or not index.studies[0].series:
            continue
        instance = index.studies[0].series[0].instances[0]
        said = pydicom.dcmread(path, stop_before_pixels=True, force=True).get("LossyImageCompression")
        assert bool(lossy_steps(instance)) == (said == "01"), path.name
        if instance.transfer_syntax_uid in LOSSY_SYNTAXES and said != "01":
            silent.append(path.name)
    assert silent  # some do not say what they lost, and nothing is guessed


@pytest.mark.shared
def test_the_decoder_that_gave_the_pixels_is_known(shared_data: Path) -> None:
    expected = {
        "pydicom/MR_small.dcm": "native",
        "pydicom/MR_small_RLE.dcm": "imagecodecs",
        "pydicom/JPEG2000.dcm": "imagecodecs",
        "pydicom/SC_ybr_full_422_uncompressed.dcm": "native",
    }
    with Reader() as reader:
        for name, decoder in expected.items():
            index = reader.index([shared_data / "transfer-syntax" / name])
            with reader.open(index.studies[0].series[0]) as opened:
                assert opened.stack.decoder == decoder, name
