"""`inspect` and `render`: what is in these files, and one image exactly as the viewer maps it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import AsJson, SeriesKey, Source
from app.cli.output import CommandFailed, Progress, reported_errors, show, tell
from app.files import write_private

if TYPE_CHECKING:
    from viewer.imaging.objects.foreign import ForeignObject
    from viewer.imaging.reader import OpenStack, Reader
    from viewer.imaging.study import BadFile, Series, Study, StudyIndex, WindowPreset


def index_of(reader: Reader, path: Path) -> StudyIndex:
    """Index a path with progress on stderr; a folder without any study is an error with reasons."""
    found = reader.index([path], on_progress=Progress("reading"))
    tell_bad_files(found.bad_files)
    return found


def tell_bad_files(bad_files: Sequence[BadFile]) -> None:
    """Name the files that were not read on stderr, the first of them if there are many."""
    for bad in bad_files[:20]:
        tell(f"not read: {bad.shown}: {bad.reason}")
    if len(bad_files) > 20:
        tell(f"not read: {len(bad_files) - 20} more files")


def only_study(found: StudyIndex, path: Path, series_key: str = "") -> Study:
    """Return the study to work on: the one with the series, else the one with most images.

    Raises
    ------
    CommandFailed
        There is no study, or no such series.
    """
    with_images = [study for study in found.studies if study.series]
    if not with_images:
        raise CommandFailed(_no_images(found, path))
    if series_key:
        for study in with_images:
            if any(series_key in {one.key, one.series_instance_uid} for one in study.series):
                return study
        raise CommandFailed(f"{path} holds no series {series_key}.")
    return max(with_images, key=lambda study: sum(one.image_count for one in study.series))


def _no_images(found: StudyIndex, path: Path) -> str:
    """Say what is there instead of images."""
    others = dict.fromkeys(one.what for study in found.studies for one in study.objects)
    if others:
        return f"{path} holds no images, only {', '.join(others)}: add the images that belong to it."
    looked = _counted(found.file_count, "file", "files")
    return (
        f"{path} holds no DICOM image that could be read ({looked} looked at). "
        "Give the folder or ZIP that the images are in."
    )


def open_series(
    reader: Reader,
    study: Study,
    key: str,
    path: Path,
    *,
    choose: Callable[[Study, str], Series] | None = None,
    first: int | None = None,
) -> OpenStack:
    """Open the series to work on, and name the files of it that were not read on stderr.

    Parameters
    ----------
    choose
        What chooses the series; that of a draft by default.
    first
        Image to decode first.

    Raises
    ------
    CommandFailed
        No series, or no image of it; the words name the path.
    """
    from inference.drafting.triage import NoSeries, choose_series
    from viewer.imaging.worker.errors import WorkerError

    try:
        series = (choose or choose_series)(study, key)
        if first is not None:
            first = min(first, series.image_count - 1)
        opened = reader.open(series, first=first)
    except (NoSeries, WorkerError) as error:
        raise CommandFailed(f"{path}: {error}") from error
    tell_bad_files(opened.bad_files)
    return opened


def inspect(
    path: Source,
    objects: Annotated[
        bool,
        typer.Option("--objects", help="Also read segmentations, contours, reports and the like."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show studies, series, geometry verdicts, objects of others and bad files."""
    from app.cli.objects import contents_of, contents_words
    from viewer.imaging.reader import Reader

    with reported_errors(), Reader() as reader:
        found = reader.index([path], on_progress=Progress("reading"))
        contents = contents_of(reader, found) if objects else []
    result = {"schema": "sightline.index/1", **found.model_dump(mode="json")}
    if objects:
        result["contents"] = contents
    show(
        result,
        as_json=as_json,
        words=lambda _: "\n".join(filter(None, (_index_words(found), contents_words(contents)))),
    )
    if not found.studies:
        raise CommandFailed(f"{path} holds no DICOM image that could be read.")


def _index_words(found: StudyIndex) -> str:
    lines: list[str] = []
    for study in found.studies:
        suspect = " (encoding suspect)" if study.patient.encoding_suspect else ""
        lines.append(
            f"{study.patient.name or 'no name'}{suspect}  {study.patient.patient_id}  "
            f"{study.date or 'no date'}  {'/'.join(study.modalities)}  {study.description}"
        )
        lines += [f"  {_series_words(series)}" for series in study.series]
        lines += [f"  {_object_words(one)}" for one in study.objects]
    lines += [f"note: {note.shown}: {note.reason} [{note.code}]" for note in found.notes]
    lines += [f"not read: {bad.shown}: {bad.reason} [{bad.code}]" for bad in found.bad_files]
    lines.append(
        f"{_counted(len(found.studies), 'study', 'studies')}, "
        f"{_counted(found.file_count, 'file', 'files')}, {len(found.bad_files)} not read"
    )
    return "\n".join(lines)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _series_words(series: Series) -> str:
    verdict = series.verdict
    reason = f": {verdict.reason}" if verdict.reason and not verdict.is_volume else ""
    lossy = "lossy  " if any(instance.lossy for instance in series.instances) else ""
    return (
        f"{series.series_number or '-':>4}  {series.modality:<3} {series.image_count:>5} images  "
        f"{series.description[:40]:<40} {lossy}{verdict.kind.value}{reason}  [{series.key}]"
    )


def _object_words(one: ForeignObject) -> str:
    names = "  ".join(filter(None, (one.label or one.description, one.creator)))
    return f"{one.series_number or '-':>4}  {one.modality:<3} {one.what}: {names}"


def window_of(text: str) -> WindowPreset:
    """Read "C/W" in modality units.

    Raises
    ------
    typer.BadParameter
        It is no centre and width, or the width is not positive.
    """
    from viewer.imaging.study import WindowPreset

    number = r"[+-]?\d+(?:\.\d+)?"
    match = re.fullmatch(rf"({number})/({number})", text)
    if match is None or float(match.group(2)) <= 0:
        raise typer.BadParameter("Give centre and width such as --window 40/400.")
    return WindowPreset(center=float(match.group(1)), width=float(match.group(2)))


def _series_to_render(study: Study, key: str) -> Series:
    """Return the series with a key, else the one a draft would take, else the one with most images."""
    from inference.drafting.triage import NoSeries, choose_series

    try:
        return choose_series(study, key)
    except NoSeries:
        if key or not study.series:
            raise
        return max(study.series, key=lambda one: one.image_count)


def render(
    path: Source,
    out: Annotated[Path, typer.Option("--out", help="PNG to write.")],
    series: SeriesKey = "",
    index: Annotated[int, typer.Option("--index", help="Image in the sorted series, from 0.")] = 0,
    window: Annotated[
        str, typer.Option("--window", help="Centre/width; the default of the image.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write one image, one pixel for one pixel, exactly as the viewer maps it to grey."""
    from viewer.imaging.reader import Reader
    from viewer.imaging.render import render_frame

    preset = window_of(window) if window else None
    with reported_errors(), Reader() as reader:
        study = only_study(index_of(reader, path), path, series)
        with open_series(reader, study, series, path, choose=_series_to_render, first=index) as opened:
            stack = opened.stack
            if not 0 <= index < len(stack.frames):
                raise CommandFailed(f"The series has images 0 to {len(stack.frames) - 1}, not {index}.")
            pixels = render_frame(stack, index, preset)
            decoder = stack.decoder
        buffer = io.BytesIO()
        from PIL import Image

        Image.fromarray(pixels).save(buffer, format="PNG")
        write_private(out, buffer.getvalue())
    result: dict[str, Any] = {
        "file": str(out),
        "series": stack.series.key,
        "index": index,
        "rows": int(pixels.shape[0]),
        "columns": int(pixels.shape[1]),
        "decoder": decoder,
    }
    show(result, as_json=as_json, words=lambda done: str(done["file"]))
