"""Tables, shapes and frames of the grey pipeline: what the header says is what the screen shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from viewer.imaging.decode import decode_stack
from viewer.imaging.elements import RawHeader
from viewer.imaging.grey import default_window, image_presets, modality_values, pipeline_of, to_grey
from viewer.imaging.headers import Header, HeaderError, Tag
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.mappings import LookupTable, RealWorldMap
from viewer.imaging.probe import probe
from viewer.imaging.render import render_frame
from viewer.imaging.sequences import items
from viewer.imaging.study import StudyIndex
from viewer.imaging.volume import ImageStack, as_volume

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]
ENCODINGS = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def stack_of(path: Path) -> ImageStack:
    """Index a file, pass the index through JSON as between processes, and decode its series."""
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    index = StudyIndex.model_validate_json(index.model_dump_json(exclude_defaults=True))
    series = index.studies[0].series[0]
    layout = stack_layout(series)
    stored = np.zeros(layout.shape, layout.dtype)
    assert not decode_stack(series, layout, stored).bad
    return ImageStack(series=series, stored=stored, frames=layout.frames)


def lut(first: int, entries: list[int], bits: int = 16, *, vr: str = "US", **fields: Any) -> Dataset:
    """Return a LUT item: descriptor (count, first, bits) and data."""
    item = Dataset()
    item.add_new(0x00283002, vr, [len(entries), first, bits])
    for keyword, value in fields.items():
        setattr(item, keyword, value)
    item.add_new(0x00283006, "US", entries)
    return item


STORED = np.array([[-3, -2, -1, 0, 1, 2], [3, 4, 5, 6, 7, 8]] * 2, dtype=np.int16)


def native(values: np.ndarray, syntax: str = ExplicitVRLittleEndian) -> bytes:
    return values.astype(">i2" if syntax == ExplicitVRBigEndian else "<i2").tobytes()


@pytest.mark.parametrize("undefined_length", [False, True])
@pytest.mark.parametrize("syntax", ENCODINGS)
def test_a_modality_lut_maps_values_in_every_encoding(
    syntax: str, undefined_length: bool, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    # PS3.3 C.11.1.1.1: below the first value mapped the first entry, beyond the table the last
    ds = ct_slice(syntax=syntax, RescaleSlope=None, RescaleIntercept=None)
    ds.PixelData = native(STORED, syntax)
    ds.ModalityLUTSequence = [lut(-2, [100, 300, 200, 65535], vr="SS", ModalityLUTType="OD")]
    ds["ModalityLUTSequence"].is_undefined_length = undefined_length
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    table = pipeline_of(stack, 0).modality_lut
    assert table is not None
    assert (table.first, table.bits) == (-2, 16)
    got = modality_values(stack.stored[0], 1.0, 0.0, table)
    assert got[0].tolist() == [100, 100, 300, 200, 65535, 65535]
    assert stack.series.instances[0].rescale_type == "OD"


def test_a_modality_lut_comes_before_the_window_and_is_no_volume(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(RescaleSlope=None, RescaleIntercept=None, WindowCenter=200.5, WindowWidth=201)
    ds.PixelData = native(STORED)
    ds.ModalityLUTSequence = [lut(-2, [100, 300, 200], vr="SS")]
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    # C.11.2.1.2.1 with c - 0.5 = 200 and w - 1 = 200: 100 -> 0, 200 -> 127.5, 300 -> 255
    assert render_frame(stack, 0)[0].tolist() == [0, 0, 255, 128, 128, 128]
    refusal = as_volume(stack)
    assert not hasattr(refusal, "affine")


def test_a_damaged_modality_lut_is_refused_since_every_value_would_be_wrong(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice()
    item = lut(0, [1, 2, 3])
    item.LUTDescriptor = [900, 0, 16]
    ds.ModalityLUTSequence = [item]
    index = index_paths([str(save(ds, tmp_path / "a.dcm"))])
    assert [bad.code for bad in index.bad_files] == ["bad_header"]
    assert "Modality LUT" in index.bad_files[0].reason
    assert "6 bytes for 900 entries" in index.bad_files[0].reason


@pytest.mark.parametrize(("relationship", "applied"), [("LIN", True), ("LOG", False), ("DISP", False)])
def test_an_angiogram_s_table_back_to_x_ray_intensity_is_not_for_display(
    relationship: str, applied: bool, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    # PS3.3 C.8.7.1.1.2
    ds = ct_slice(SOPClassUID="1.2.840.10008.5.1.4.1.1.12.1", Modality="XA", RescaleSlope=None)
    ds.PixelIntensityRelationship = relationship
    ds.ModalityLUTSequence = [lut(-3, list(range(12)), vr="SS")]
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    assert (pipeline_of(stack, 0).modality_lut is not None) == applied


@pytest.mark.parametrize("syntax", ENCODINGS)
def test_windows_and_voi_luts_are_presets_with_their_explanations(
    syntax: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(syntax=syntax, RescaleIntercept=0)
    ds.PixelData = native(STORED, syntax)
    ds.WindowCenter, ds.WindowWidth = [40, 50], [400, 100]
    ds.WindowCenterWidthExplanation = ["NORMAL", ""]
    ds.VOILUTSequence = [
        lut(-2, [0, 4095, 1000], 12, vr="SS", LUTExplanation="HARDER"),
        lut(0, [0, 1], 8),
    ]
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    presets = image_presets(stack, 0)
    assert [one.explanation for one in presets] == ["NORMAL", "Window 2", "HARDER", "LUT 2"]
    assert default_window(stack, 0) == presets[0]
    # C.11.2.1.1: 12 bits, so 4095 is white and 1000 is 1000 / 4095 * 255 = 62.27
    assert render_frame(stack, 0, presets[2])[0].tolist() == [0, 0, 255, 62, 62, 62]
    assert (presets[2].center, presets[2].width) == (-0.5, 3.0)


def test_a_voi_lut_alone_is_the_default(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    ds = ct_slice(RescaleIntercept=0, PixelData=native(STORED))
    ds.VOILUTSequence = [lut(0, [0, 128, 255], 8)]
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    assert render_frame(stack, 0)[0].tolist() == [0, 0, 0, 0, 128, 255]


def test_the_input_of_a_voi_lut_is_the_modality_value(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(RescaleSlope=2, RescaleIntercept=-10, PixelData=native(STORED))
    ds.VOILUTSequence = [lut(-10, list(range(12)), 8, vr="SS")]
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    assert render_frame(stack, 0)[0].tolist() == [0, 0, 0, 0, 2, 4]


def test_a_damaged_voi_lut_is_left_out_and_the_image_shown(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice()
    broken = lut(0, [1, 2, 3])
    broken.LUTDescriptor = [900, 0, 16]
    ds.VOILUTSequence = [broken, lut(0, [1, 2, 3], LUTExplanation="GOOD")]
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    assert [one.explanation for one in image_presets(stack, 0)] == ["GOOD"]


def test_a_sequence_that_cannot_be_parsed_is_refused_only_where_values_need_it() -> None:
    cut = {int(Tag.SequenceOfUltrasoundRegions): b"\xfe\xff\x00\xe0\x10"}
    header = Header("/a.dcm", RawHeader(cut, ExplicitVRLittleEndian, False, None, 0))
    assert items(header, Tag.SequenceOfUltrasoundRegions) == []
    with pytest.raises(HeaderError, match="SequenceOfUltrasoundRegions cannot be read"):
        items(header, Tag.SequenceOfUltrasoundRegions, required=True)


@pytest.mark.parametrize("syntax", ENCODINGS[:3])
def test_noise_in_these_sequences_never_stops_an_index(
    syntax: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(syntax=syntax, PixelData=native(STORED, syntax))
    ds.ModalityLUTSequence = [lut(-2, [1, 2, 3], vr="SS", ModalityLUTType="HU")]
    ds.VOILUTSequence = [lut(0, [0, 1, 2], 8, LUTExplanation="X")]
    ds.RealWorldValueMappingSequence = [real_world()]
    whole = save(ds, tmp_path / "a.dcm").read_bytes()
    start = whole.index(b"\x00\x28\x30\x00" if syntax == ExplicitVRBigEndian else b"\x28\x00\x00\x30")
    rng = np.random.default_rng(11)
    outcomes = set()
    for _ in range(400):
        noise = bytearray(whole)
        for at in rng.integers(start + 12, len(noise), size=rng.integers(1, 6)):
            noise[at] = int(rng.choice([0, 255, rng.integers(256)]))
        (tmp_path / "a.dcm").write_bytes(noise)
        index = index_paths([str(tmp_path)])
        assert len(index.studies) + len(index.bad_files) == 1
        outcomes.add(bool(index.studies))
    assert outcomes == {True, False}


def test_bytes_packed_into_words_are_entries_of_eight_bits(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    for syntax, data in (
        (ExplicitVRLittleEndian, b"\0\x80\xff\x40"),
        (ExplicitVRBigEndian, b"\x80\0\x40\xff"),
    ):
        ds = ct_slice(syntax=syntax, RescaleIntercept=0, PixelData=native(STORED, syntax))
        item = lut(0, [0, 1, 2, 3], 8)
        item.add_new(0x00283006, "OW", data)
        ds.VOILUTSequence = [item]
        stack = stack_of(save(ds, tmp_path / "a.dcm"))
        assert render_frame(stack, 0)[:2].reshape(-1)[3:8].tolist() == [0, 128, 255, 64, 64]


def test_a_table_is_small_in_the_index() -> None:
    curve = 4095 / (1 + np.exp(-np.linspace(-6, 6, 3447)))
    table = LookupTable.of(curve.astype(int), first=625, bits=12)
    assert np.array_equal(table.entries, curve.astype(int))
    assert len(table.packed) < 2000


def test_entries_beyond_the_announced_bits_raise_them() -> None:
    assert LookupTable.of([0, 4095], first=0, bits=8).bits == 12


@pytest.mark.parametrize("entries", [[], [-1], [65536], list(range(3)) * 30000])
def test_what_is_no_table_is_refused(entries: list[int]) -> None:
    with pytest.raises(ValueError, match="1 to 65536 entries"):
        LookupTable.of(entries, first=0, bits=16)


@pytest.mark.parametrize(
    ("photometric", "shape", "white_is_low"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),  # both say the same: they do not cancel
    ],
)
def test_presentation_shape_and_monochrome1_do_not_cancel(  # noqa: PLR0917
    photometric: str, shape: str | None, white_is_low: bool, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(RescaleIntercept=0, PixelData=native(STORED), WindowCenter=0.5, WindowWidth=1)
    ds.PhotometricInterpretation = photometric
    if shape is not None:
        ds.PresentationLUTShape = shape
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    plain = [0, 0, 0, 0, 255, 255]  # a threshold above 0 (C.11.2.1.2.1, w = 1)
    wanted = [255 - grey for grey in plain] if white_is_low else plain
    assert render_frame(stack, 0)[0].tolist() == wanted
    assert render_frame(stack, 0, inverted=True)[0].tolist() == [255 - grey for grey in wanted]


def test_the_range_limit_of_padding_is_black_and_outside_the_automatic_window(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    values = np.array([[0, 5, 30, 31, 100, 1000]] * 4, dtype=np.int16)
    ds = ct_slice(RescaleIntercept=0, PixelData=native(values), PhotometricInterpretation="MONOCHROME1")
    ds.add_new(0x00280120, "SS", 0)
    ds.add_new(0x00280121, "SS", 30)
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    greys = render_frame(stack, 0)[0]
    assert greys[:3].tolist() == [0, 0, 0]
    assert greys[3] == 255
    window = default_window(stack, 0)
    assert window.center - window.width / 2 >= 31
    assert probe(stack, 0, 0, 1).padding
    assert not probe(stack, 0, 0, 3).padding


def enhanced(ct_slice: Make, frames: int = 2) -> Dataset:
    """Return an object with two frames and functional groups to fill."""
    ds = ct_slice(SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1", NumberOfFrames=frames)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.PixelData = native(np.concatenate([STORED] * frames))
    for keyword in ("RescaleSlope", "RescaleIntercept", "ImagePositionPatient", "PixelSpacing"):
        delattr(ds, keyword)
    ds.SharedFunctionalGroupsSequence = [Dataset()]
    ds.PerFrameFunctionalGroupsSequence = [Dataset() for _ in range(frames)]
    return ds


def test_each_frame_has_its_rescale_window_table_and_real_world_map(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = enhanced(ct_slice)
    shared, (first, second) = (
        ds.SharedFunctionalGroupsSequence[0],
        ds.PerFrameFunctionalGroupsSequence,
    )
    rescale = Dataset()
    rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 2, 1, "US"
    shared.PixelValueTransformationSequence = [rescale]
    voi = Dataset()
    voi.WindowCenter, voi.WindowWidth = [10, 20], [100, 200]
    voi.WindowCenterWidthExplanation, voi.VOILUTFunction = ["WIDE", "WIDER"], "SIGMOID"
    shared.FrameVOILUTSequence = [voi]
    other = Dataset()
    other.VOILUTSequence = [lut(0, [0, 255], 8, LUTExplanation="STEEP")]
    second.FrameVOILUTSequence = [other]
    doubled = Dataset()
    doubled.RescaleSlope, doubled.RescaleIntercept, doubled.RescaleType = 4, 0, "US"
    second.PixelValueTransformationSequence = [doubled]
    first.RealWorldValueMappingSequence = [real_world()]
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    assert [(one.explanation, one.function) for one in image_presets(stack, 0)] == [
        ("WIDE", "SIGMOID"),
        ("WIDER", "SIGMOID"),
    ]
    assert [one.explanation for one in image_presets(stack, 1)] == ["STEEP"]
    assert (pipeline_of(stack, 0).slope, pipeline_of(stack, 1).slope) == (2.0, 4.0)
    assert render_frame(stack, 1)[0].tolist() == [0, 0, 0, 0, 255, 255]
    assert probe(stack, 0, 0, 5).value == 5.0
    assert probe(stack, 1, 0, 5).value == 8.0
    assert len(probe(stack, 0, 0, 5).real_world) == 1
    assert probe(stack, 1, 0, 5).real_world == ()


def real_world(**changes: Any) -> Dataset:
    """Return a linear Real World Value Mapping item: 10^-3 mm2/s, stored values 0 to 4."""
    unit = Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "um2/s", "UCUM", "um2/s"
    item = Dataset()
    item.MeasurementUnitsCodeSequence, item.LUTLabel = [unit], "ADC"
    item.add_new(0x00409216, "SS", 0)
    item.add_new(0x00409211, "SS", 4)
    item.RealWorldValueSlope, item.RealWorldValueIntercept = 2.5, 1.0
    for keyword, value in changes.items():
        setattr(item, keyword, value)
    return item


def test_a_probe_gives_stored_modality_and_real_world_value_with_units(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(PixelData=native(STORED))
    ds.RealWorldValueMappingSequence = [real_world(), real_world(LUTLabel="other")]
    stack = stack_of(save(ds, tmp_path / "a.dcm"))
    found = probe(stack, 0, 0, 5)
    assert (found.stored, found.value, found.unit) == ((2,), -1022.0, "[hnsf'U]")
    assert [(one.value, one.unit, one.label) for one in found.real_world] == [
        (6.0, "um2/s", "ADC"),
        (6.0, "um2/s", "other"),
    ]
    # PS3.3 C.7.6.16.2.11.1.2: values outside the mapped range have no real-world value
    assert probe(stack, 0, 1, 5).real_world == ()
    with pytest.raises(IndexError, match="4 rows and 6 columns"):
        probe(stack, 0, 4, 0)


def test_a_real_world_map_may_be_a_table() -> None:
    import struct

    from viewer.imaging.mappings import pack

    table = RealWorldMap(first=3, last=5, packed=pack(struct.pack("<3d", 0.5, -1.5, 9.0)))
    assert [table.value(stored) for stored in (2, 3, 4, 5, 6)] == [None, 0.5, -1.5, 9.0, None]


def test_a_probe_of_colour_gives_its_three_samples(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    ds = ct_slice(SamplesPerPixel=3, PhotometricInterpretation="RGB", PixelRepresentation=0)
    ds.PlanarConfiguration, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 0, 8, 8, 7
    ds.PixelData = bytes(range(72))
    found = probe(stack_of(save(ds, tmp_path / "a.dcm")), 0, 0, 1)
    assert (found.stored, found.value) == ((3, 4, 5), None)


@pytest.mark.shared
def test_the_tables_of_real_files_are_read(shared_data: Path) -> None:
    mammogram = stack_of(shared_data / "mg/mammo_MLO_3062x2394_jpll.dcm")
    presets = image_presets(mammogram, 0)
    assert [one.explanation for one in presets] == ["NORMAL", "HARDER", "SOFTER"] * 2
    assert [one.table is not None for one in presets] == [False] * 3 + [True] * 3
    assert {one.function for one in presets[:3]} == {"SIGMOID"}
    signed = stack_of(shared_data / "transfer-syntax/luts/mlut_18.dcm")
    table = pipeline_of(signed, 0).modality_lut
    assert table is not None
    assert (table.first, table.bits, table.entries[1]) == (-2048, 16, 16)
    veterinary = stack_of(shared_data / "cxr/dicom/veterinary_thorax_lateral_DX_small.dcm")
    instance = veterinary.series.instances[0]
    assert (instance.photometric_interpretation, instance.presentation_lut_shape) == (
        "MONOCHROME1",
        "INVERSE",
    )
    assert pipeline_of(veterinary, 0).inverted
    flow = stack_of(shared_data / "multiframe/eCT_Supplemental.dcm")
    assert probe(flow, 0, 0, 0).real_world[0].unit == "ml/100ml/s"


def test_greys_of_a_table_run_through_the_one_function() -> None:
    table = LookupTable.of([0, 10, 20, 30], first=0, bits=8)
    values = np.array([[0, 1, 2, 3]], dtype=np.uint16)
    from viewer.imaging.grey import GreyPipeline
    from viewer.imaging.study import WindowPreset

    window = WindowPreset(center=15.5, width=31)
    pipeline = GreyPipeline(1.0, 0.0, window, False, None, "uint16", table)
    wide = GreyPipeline(1.0, 0.0, window, False, None, "uint32", table)
    assert to_grey(values, pipeline).tolist() == to_grey(values.astype(np.uint32), wide).tolist()
    assert to_grey(values, pipeline).tolist() == [[0, 85, 170, 255]]
