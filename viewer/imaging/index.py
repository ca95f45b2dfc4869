"""An index of files: `index_paths` reads every header and groups images into studies and series.

No file stops the index: what cannot be used is listed as a `BadFile` with a reason.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from viewer.imaging.acquisition import AcquisitionFacts
from viewer.imaging.calibration import PROJECTION_MODALITIES, calibrate
from viewer.imaging.charset import TextDecoder
from viewer.imaging.dicomdir import listed_files
from viewer.imaging.elements import Odd, Short
from viewer.imaging.frames import with_frames
from viewer.imaging.geometry import judge
from viewer.imaging.headers import (
    DICOMDIR_CLASS,
    WANTED,
    Header,
    HeaderError,
    Tag,
    read_odd_header,
    read_plain_header,
)
from viewer.imaging.identity import OTHER_PATIENT, of_other_patients
from viewer.imaging.images import derived_uid, image_instance
from viewer.imaging.lasting import lasting
from viewer.imaging.mosaic import is_mosaic, with_tiles
from viewer.imaging.notes import notes_of
from viewer.imaging.objects.entry import (
    ObjectFile,
    is_object,
    object_file,
    objects_by_study,
    without_double_objects,
)
from viewer.imaging.pet import pet_facts
from viewer.imaging.slide import is_tiled, with_tiling
from viewer.imaging.sources import Cancelled, Sources, collect_files
from viewer.imaging.stacks import ImageFile, Stack, split
from viewer.imaging.study import BadFile, Patient, Series, Study, StudyIndex
from viewer.imaging.tiling import overview_index
from viewer.imaging.trails import Trails

PROGRESS_SECONDS: Final = 0.1
"""Progress is reported at most this often: 10 Hz."""

BATCH: Final = 64
"""Files that a reading thread takes at once."""

THREADS: Final = 8
"""Threads that wait for a slow disk."""

SLOW_FILE_SECONDS: Final = 2e-3
"""A batch that takes longer than this per file is waiting, not computing."""

CRASHED: Final = "Reading this file brought the reading process down: it is damaged or hostile."

Progress = Callable[[int, int], None]


@lasting()  # the collector would go through all headers again and again
def index_paths(
    paths: Sequence[str],
    *,
    archive_dir: Path | None = None,
    on_progress: Progress | None = None,
    on_risk: Callable[[str], None] = lambda _: None,
    skip: Container[str] = (),
    cancelled: Callable[[], bool] = lambda: False,
) -> StudyIndex:
    """Index folders, ZIP archives and single files; of a DICOMDIR also the files that it names.

    Parameters
    ----------
    archive_dir
        Where ZIP archives are unpacked; a new temporary folder when none is given.
    on_progress
        Called with (files read, files in all), at most ten times a second.
    on_risk
        Called with the path of a file before a parser that is not ours sees it.
    skip
        Files that brought a worker down before: named as bad, not read.

    Raises
    ------
    Cancelled
        `cancelled` said so.
    """
    sources = collect_files(paths, archive_dir, cancelled=cancelled)
    images: list[ImageFile] = []
    objects: list[ObjectFile] = []
    bad_files = list(sources.bad_files)
    known = set(sources.files)
    pending, count, next_report = sources.files, 0, 0.0
    while pending:
        batch, pending = pending, []
        for path, found in _read_headers(batch):
            count += 1
            try:
                if path in skip:
                    raise HeaderError("crash", CRASHED)
                image = _image(path, found, on_risk)
            except HeaderError as error:
                bad_files.append(error.bad_file(sources.names.get(path, path)))
            else:
                if isinstance(image, ObjectFile):
                    objects.append(image)
                elif isinstance(image, ImageFile):
                    images.append(image)
                elif path not in sources.names:  # unpacked members do not lie where it says
                    listed = listed_files(path)
                    bad_files += listed.refused
                    pending += [name for name in listed.files if name not in known]
                    known.update(pending)
            now = time.monotonic()
            if on_progress is not None and (now >= next_report or count == len(known)):
                on_progress(count, len(known))
                next_report = now + PROGRESS_SECONDS
            if cancelled():
                raise Cancelled
    images, doubled = _without_doubles(images, sources)
    objects, doubled_objects = without_double_objects(objects, sources.names)
    bad_files.extend((*doubled, *doubled_objects))
    headers = [*(image.header for image in images), *(one.header for one in objects)]
    others = set(of_other_patients(headers))
    if others:
        images = [one for one in images if one.header.path not in others]
        objects = [one for one in objects if one.header.path not in others]
        bad_files += [
            BadFile(path=sources.names.get(path, path), reason=OTHER_PATIENT, code="other_patient")
            for path in sorted(others)
        ]
    return StudyIndex(
        studies=tuple(_studies(images, objects)),
        bad_files=tuple(bad_files),
        notes=tuple(
            notes_of(
                (
                    *((image.header, image.instance) for image in images),
                    *((one.header, None) for one in objects),
                ),
                sources.names,
            )
        ),
        file_count=len(known) + len(sources.bad_files),
    )


def _read_headers(paths: Sequence[str]) -> Iterator[tuple[str, Header | Exception]]:
    """Yield each path with its header, or with what stopped the own walk.

    Files in the cache are read fastest by one thread; where the first batch is slow (a disk, a
    network), several threads wait for the others together.
    """
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    slow, trails = False, Trails(WANTED)
    while batches and not slow:
        start = time.monotonic()
        batch = batches.pop(0)
        headers = _read_batch(batch, trails)
        slow = time.monotonic() - start > SLOW_FILE_SECONDS * len(batch)
        yield from headers
    if not batches:
        return
    with ThreadPoolExecutor(THREADS, thread_name_prefix="headers") as pool:
        futures = [pool.submit(_read_batch, batch, trails) for batch in batches]
        try:
            for future in futures:
                yield from future.result()
        finally:
            for future in futures:
                future.cancel()


def _read_batch(paths: Iterable[str], trails: Trails) -> list[tuple[str, Header | Exception]]:
    results: list[tuple[str, Header | Exception]] = []
    for path in paths:
        try:
            results.append((path, read_plain_header(path, trails.walk)))
        except (Odd, HeaderError) as error:
            results.append((path, error))
    return results


def _image(
    path: str, found: Header | Exception, on_risk: Callable[[str], None]
) -> ImageFile | ObjectFile | None:
    """Return the image or object of a file, none for a DICOMDIR; one thread asks pydicom here."""
    if isinstance(found, HeaderError):
        raise found
    if isinstance(found, Odd):
        on_risk(path)
        found = read_odd_header(path, truncated=isinstance(found, Short))
    assert isinstance(found, Header)
    if found.code(Tag.MediaStorageSOPClassUID) == DICOMDIR_CLASS:
        on_risk(path)
        return None
    if is_object(found):
        on_risk(path)
        return object_file(found)
    instance = image_instance(found)
    if is_tiled(found):
        on_risk(path)
        instance = with_tiling(found, instance)
    elif instance.number_of_frames > 1 or found.has(Tag.SharedFunctionalGroupsSequence):
        on_risk(path)
        instance = with_frames(instance)
    elif is_mosaic(found):
        instance = with_tiles(found, instance)
    return ImageFile(found, instance)


def _without_doubles(
    images: list[ImageFile], sources: Sources
) -> tuple[list[ImageFile], list[BadFile]]:
    """Keep the first image of each SOP Instance UID; name the others."""
    first: dict[str, ImageFile] = {}
    doubled: list[BadFile] = []
    for image in images:
        kept = first.setdefault(image.instance.sop_instance_uid, image)
        if kept is not image:
            path, other = image.instance.path, kept.instance.path
            doubled.append(
                BadFile(
                    path=sources.names.get(path, path),
                    reason=f"Another file has the same SOP Instance UID: {Path(other).name} is used.",
                    code="duplicate",
                )
            )
    return list(first.values()), doubled


def _studies(images: list[ImageFile], objects: list[ObjectFile]) -> Iterator[Study]:
    by_study: dict[str, dict[str, list[ImageFile]]] = defaultdict(lambda: defaultdict(list))
    for image in images:
        series_uid = image.header.code(Tag.SeriesInstanceUID)
        if not series_uid:
            series_uid = derived_uid(
                *(
                    image.header.raw.elements.get(tag, b"")
                    for tag in (Tag.StudyInstanceUID, Tag.Modality)
                )
            )
        study_uid = image.header.code(Tag.StudyInstanceUID) or derived_uid(series_uid.encode())
        by_study[study_uid][series_uid].append(image)
    others = objects_by_study(objects)
    for study_uid, by_series in by_study.items():
        series = [part for uid, group in by_series.items() for part in _series(uid, group)]
        series.sort(key=lambda one: (one.series_number is None, one.series_number or 0))
        first = next(iter(by_series.values()))[0].header
        yield _study(study_uid, first, tuple(series), others.pop(study_uid, ()))
    for study_uid, files in others.items():
        yield _study(study_uid, files[0].header, (), files)


def _study(
    uid: str, header: Header, series: tuple[Series, ...], objects: Sequence[ObjectFile] = ()
) -> Study:
    raw = header.raw.elements
    text = TextDecoder(raw.get(Tag.SpecificCharacterSet))
    identity = {
        "patient_id": text.text(raw.get(Tag.PatientID)),
        "issuer": text.text(raw.get(Tag.IssuerOfPatientID)),
        "name": text.name(raw.get(Tag.PatientName)),
        "birth_date": header.code(Tag.PatientBirthDate),
        "sex": header.code(Tag.PatientSex),
    }
    return Study(
        study_instance_uid=uid,
        patient=Patient(**identity, encoding_suspect=text.suspect),
        study_id=text.text(raw.get(Tag.StudyID)),
        accession_number=text.text(raw.get(Tag.AccessionNumber)),
        date=header.code(Tag.StudyDate),
        time=header.code(Tag.StudyTime),
        description=text.text(raw.get(Tag.StudyDescription)),
        referring_physician=text.name(raw.get(Tag.ReferringPhysicianName)),
        request=_request(text, raw),
        age=header.code(Tag.PatientAge),
        synthetic=header.code(Tag.SyntheticData) == "YES",
        series=series,
        objects=tuple(file.entry for file in objects),
    )


REQUEST_TAGS = (
    Tag.ReasonForTheRequestedProcedure,
    Tag.ReasonForStudy,
    Tag.RequestedProcedureDescription,
)
"""Where a modality copies the order to, the most telling first (PS3.3 C.4.12, C.3.4)."""

LONGEST_REQUEST = 500


def _request(text: TextDecoder, raw: Mapping[int, bytes]) -> str:
    """Return what the order asks in one line, or empty."""
    told = (" ".join(text.text(raw.get(tag)).split()) for tag in REQUEST_TAGS)
    return next((words for words in told if words), "")[:LONGEST_REQUEST]


def _series(uid: str, images: list[ImageFile]) -> list[Series]:
    """Return the stacks of one series of the header, the largest first."""
    return [
        _stack(uid, "" if index == 0 else str(index + 1), part)
        for index, part in enumerate(split(images))
    ]


def _positive(number: float | None) -> float | None:
    """Return a voltage or a length, none where it is absurd."""
    return number if number is not None and 0.0 < number < 1e5 else None


def _acquisition(header: Header) -> AcquisitionFacts:
    return AcquisitionFacts(
        repetition_ms=_positive(header.decimal(Tag.RepetitionTime)),
        echo_ms=_positive(header.decimal(Tag.EchoTime)),
        inversion_ms=_positive(header.decimal(Tag.InversionTime)),
        scanning_sequence=header.codes(Tag.ScanningSequence),
        exposure_index=header.decimal(Tag.ExposureIndex),
        target_exposure_index=header.decimal(Tag.TargetExposureIndex),
        deviation_index=header.decimal(Tag.DeviationIndex),
    )


def _stack(uid: str, part: str, stack: Stack) -> Series:
    images = stack.images
    header = images[0].header
    raw = header.raw.elements
    text = TextDecoder(raw.get(Tag.SpecificCharacterSet))
    calibration = calibrate(header)
    instances = tuple(image.instance for image in images)
    modality = header.code(Tag.Modality)
    spacing, source = calibration.pixel_spacing, calibration.source
    plane = instances[0].of_frame(1).plane
    shown = instances[overview_index([(one.rows, one.columns) for one in instances])].tiling
    if shown is not None:
        spacing, source = shown.spacing, "PixelSpacing" if shown.spacing else ""
    elif spacing is None and not source and plane is not None and modality not in PROJECTION_MODALITIES:
        spacing, source = (plane.row_spacing, plane.column_spacing), "PixelSpacing"
    series = Series(
        series_instance_uid=uid,
        part=part,
        phase=stack.phase,
        series_number=header.integer(Tag.SeriesNumber),
        description=text.text(raw.get(Tag.SeriesDescription)),
        modality=modality,
        body_part=header.code(Tag.BodyPartExamined),
        protocol=text.text(raw.get(Tag.ProtocolName)),
        laterality=header.code(Tag.ImageLaterality) or header.code(Tag.Laterality),
        view_position=header.code(Tag.ViewPosition),
        patient_position=header.code(Tag.PatientPosition),
        patient_orientation=header.codes(Tag.PatientOrientation)[:2],
        frame_of_reference_uid=header.code(Tag.FrameOfReferenceUID),
        image_type=header.codes(Tag.ImageType),
        manufacturer=text.text(raw.get(Tag.Manufacturer)),
        model_name=text.text(raw.get(Tag.ManufacturerModelName)),
        convolution_kernel=text.text(raw.get(Tag.ConvolutionKernel)),
        kvp=_positive(header.decimal(Tag.KVP)),
        slice_thickness=_positive(header.decimal(Tag.SliceThickness)),
        contrast_agent=text.text(raw.get(Tag.ContrastBolusAgent)),
        pixel_spacing=spacing,
        spacing_source=source,
        detector_spacing=calibration.detector_spacing,
        pet=pet_facts([image.header for image in images]) if modality == "PT" else None,
        acquisition=_acquisition(header),
        instances=instances,
        verdict=judge([]),
    )
    planes = [series.plane_of(frame) for frame in series.frame_order()]
    return series.model_copy(update={"verdict": judge(planes)})
