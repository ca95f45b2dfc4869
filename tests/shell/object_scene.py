"""The phantom with objects of others beside it; where everything lies is known to the tests."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from app.demo import sample

ROWS = COLUMNS = 384
SPACING, STEP = 0.95, 5.0
RED, GREEN = "#FF0000", "#00A000"
FIRST_LABEL, SECOND_LABEL = "Left part", "Right part"
SLICE = 30
"""The slice (by file name) on which objects lie."""

LARGEST = 32
"""The slice on which the first segment is largest."""

BOXES = {1: (100, 150, 140, 200), 2: (180, 230, 150, 190)}
"""Top, bottom, left and right of each segment on its slices, the last not included."""

CONTOUR = ((60.0, 80.0), (140.0, 80.0), (140.0, 120.0), (60.0, 120.0))
CIRCLE = ((200.0, 150.0), (230.0, 150.0))
LINE = ((120.0, 260.0), (180.0, 260.0))
KEY_SLICES = (12, 45)
CREATOR = "Reader^Rosa"


def slices() -> list[Dataset]:
    """Headers of the phantom's slices, in the order of their file names."""
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(sample().rglob("*.dcm"))]


def item(**values: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def masks() -> np.ndarray:
    """Two segments: (slice, row, column, segment)."""
    found = np.zeros((60, ROWS, COLUMNS, 2), dtype=np.uint8)
    for number, (top, bottom, left, right) in BOXES.items():
        found[SLICE - 2 : SLICE + 4, top:bottom, left:right, number - 1] = 1
    top, bottom, left, right = BOXES[1]
    found[LARGEST, top - 20 : bottom, left:right, 0] = 1
    return found


def described(number: int, label: str, colour: tuple[int, int, int]) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Bone,
        algorithm_type="MANUAL",
        display_color=hd.color.CIELabColor.from_rgb(*colour),
    )


def segmentation(ct: list[Dataset], pixels: np.ndarray, kind: str = "BINARY", **more: Any) -> Dataset:
    described_ = [
        described(1, FIRST_LABEL, (255, 0, 0)),
        described(2, SECOND_LABEL, (0, 160, 0)),
    ]
    return hd.seg.Segmentation(
        source_images=ct,
        pixel_array=pixels,
        segmentation_type=hd.seg.SegmentationTypeValues[kind],
        segment_descriptions=described_[: pixels.shape[-1] if pixels.ndim == 4 else 1],
        series_instance_uid=generate_uid(),
        series_number=71,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Maker",
        manufacturer_model_name="Model",
        software_versions="1",
        device_serial_number="1",
        content_creator_name=CREATOR,
        content_label="PARTS" if kind == "BINARY" else "SHARES",
        **more,
    )


def measurements(ct: list[Dataset]) -> Dataset:
    """A TID 1500 report: a line of 57 mm on the slice."""
    image = ct[SLICE]
    observer = hd.sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name=CREATOR),
    )
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(generate_uid(), "Nodule A"),
        referenced_region=hd.sr.ImageRegion(
            graphic_type=hd.sr.GraphicTypeValues.POLYLINE,
            graphic_data=np.array(LINE, dtype=np.float64) + 0.5,
            source_image=hd.sr.SourceImageForRegion.from_source_image(image),
        ),
        finding_type=codes.SCT.Nodule,
        measurements=[
            hd.sr.Measurement(name=codes.SCT.Diameter, value=57.0, unit=codes.UCUM.Millimeter)
        ],
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group],
    )
    return hd.sr.Comprehensive3DSR(
        evidence=[image],
        content=content[0],
        series_instance_uid=generate_uid(),
        series_number=72,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Maker",
        series_description="Measured",
    )


def new_object(ct: list[Dataset], sop_class: str, **values: Any) -> Dataset:
    """Return a data set of the phantom's study."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate",
        "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
    ):  # fmt: skip
        setattr(ds, keyword, getattr(ct[0], keyword))
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = generate_uid(), 75, 1
    ds.Manufacturer, ds.Modality = "Maker", "OT"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def reference(image: Dataset) -> Dataset:
    return item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)


def presentation(ct: list[Dataset], **values: Any) -> Dataset:
    """A state for one slice: turned, mirrored, inverted, with a circle, a text and a shutter."""
    image = ct[SLICE]
    graphic = item(
        GraphicAnnotationUnits="PIXEL",
        GraphicDimensions=2,
        NumberOfGraphicPoints=2,
        GraphicData=[one + 0.5 for point in CIRCLE for one in point],
        GraphicType="CIRCLE",
        GraphicFilled="N",
    )
    text = item(
        BoundingBoxAnnotationUnits="PIXEL",
        UnformattedTextValue="See here",
        BoundingBoxTopLeftHandCorner=[230.0, 180.0],
        BoundingBoxBottomRightHandCorner=[280.0, 200.0],
        BoundingBoxTextHorizontalJustification="LEFT",
    )
    layer = item(
        GraphicLayer="NOTES", GraphicLayerOrder=1, GraphicLayerRecommendedDisplayCIELabValue=GREENISH
    )
    ds = new_object(
        ct,
        "1.2.840.10008.5.1.4.1.1.11.1",
        Modality="PR",
        ContentLabel="NODULE",
        ContentCreatorName=CREATOR,
        PresentationCreationDate="20260106",
        PresentationCreationTime="080000",
        ReferencedSeriesSequence=[
            item(
                SeriesInstanceUID=image.SeriesInstanceUID,
                ReferencedImageSequence=[reference(image)],
            )
        ],
        RescaleSlope=1,
        RescaleIntercept=-1024,
        RescaleType="HU",
        SoftcopyVOILUTSequence=[item(WindowCenter=40, WindowWidth=400)],
        PresentationLUTShape="INVERSE",
        ImageRotation=90,
        ImageHorizontalFlip="Y",
        DisplayedAreaSelectionSequence=[
            item(
                DisplayedAreaTopLeftHandCorner=[100, 60],
                DisplayedAreaBottomRightHandCorner=[320, 260],
                PresentationSizeMode="SCALE TO FIT",
                PresentationPixelAspectRatio=[1, 1],
            )
        ],
        GraphicLayerSequence=[layer],
        GraphicAnnotationSequence=[
            item(
                ReferencedImageSequence=[reference(image)],
                GraphicLayer="NOTES",
                GraphicObjectSequence=[graphic],
                TextObjectSequence=[text],
            )
        ],
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=110,
        ShutterRightVerticalEdge=300,
        ShutterUpperHorizontalEdge=70,
        ShutterLowerHorizontalEdge=250,
        ShutterPresentationValue=0,
    )
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


GREENISH = list(hd.color.CIELabColor.from_rgb(0, 255, 0).value)


def contours(ct: list[Dataset]) -> Dataset:
    """A structure set with one region on one slice."""
    image = ct[SLICE]
    left, top, height = (float(one) for one in image.ImagePositionPatient)
    flat: list[float] = []
    for column, row in CONTOUR:
        flat += [left + SPACING * column, top + SPACING * row, height]
    drawn = item(
        ContourImageSequence=[reference(image)],
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=len(CONTOUR),
        ContourData=flat,
    )
    frame = image.FrameOfReferenceUID
    series = item(
        SeriesInstanceUID=image.SeriesInstanceUID,
        ContourImageSequence=[reference(one) for one in ct],
    )
    study = item(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=image.StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )
    return new_object(
        ct,
        "1.2.840.10008.5.1.4.1.1.481.3",
        Modality="RTSTRUCT",
        StructureSetLabel="PLAN",
        StructureSetDate="20260106",
        ReferencedFrameOfReferenceSequence=[
            item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])
        ],
        StructureSetROISequence=[
            item(
                ROINumber=4,
                ReferencedFrameOfReferenceUID=frame,
                ROIName="GTV",
                ROIGenerationAlgorithm="MANUAL",
            )
        ],
        ROIContourSequence=[
            item(ReferencedROINumber=4, ROIDisplayColor=[255, 255, 0], ContourSequence=[drawn])
        ],
        RTROIObservationsSequence=[
            item(
                ObservationNumber=1,
                ReferencedROINumber=4,
                RTROIInterpretedType="GTV",
                ROIInterpreter="",
            )
        ],
    )


def key_images(ct: list[Dataset]) -> Dataset:
    """A selection of two slices."""
    chosen = [ct[number] for number in KEY_SLICES]
    return hd.ko.KeyObjectSelectionDocument(
        evidence=chosen,
        content=hd.ko.KeyObjectSelection(
            document_title=codes.DCM.OfInterest,
            referenced_objects=chosen,
            description="for the board",
        ),
        series_instance_uid=generate_uid(),
        series_number=73,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Maker",
    )


def document(ct: list[Dataset]) -> Dataset:
    """A PDF of two pages; the first is red on its left half."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(400.0, 300.0))
    canvas.setFillColorRGB(1, 0, 0)
    canvas.rect(0, 0, 200, 300, stroke=0, fill=1)
    canvas.showPage()
    canvas.setFillColorRGB(0, 0, 1)
    canvas.rect(0, 0, 400, 300, stroke=0, fill=1)
    canvas.showPage()
    canvas.save()
    data = buffer.getvalue()
    ds = new_object(
        ct,
        "1.2.840.10008.5.1.4.1.1.104.1",
        Modality="DOC",
        DocumentTitle="Letter",
        MIMETypeOfEncapsulatedDocument="application/pdf",
    )
    ds.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
    ds.EncapsulatedDocumentLength = len(data)
    return ds


def write_scene(folder: Path, *, broken: bool = True) -> Path:
    """Write the phantom and one object of each kind; a segmentation that is cut off too."""
    folder.mkdir(parents=True)
    for source in sorted(sample().rglob("*.dcm")):
        shutil.copy(source, folder / source.name)
    ct = slices()
    for name, ds in (
        ("seg", segmentation(ct, masks())),
        ("sr", measurements(ct)),
        ("pr", presentation(ct)),
        ("rt", contours(ct)),
        ("ko", key_images(ct)),
        ("pdf", document(ct)),
    ):
        ds.save_as(folder / f"{name}.dcm", enforce_file_format=True)
    if broken:
        cut = segmentation(ct, masks()[..., :1], "BINARY")
        cut.ContentLabel, cut.PixelData = "CUT", cut.PixelData[:100]
        cut.save_as(folder / "cut.dcm", enforce_file_format=True)
    return folder
