"""Whole-slide images: the levels of a pyramid, and where their tiles are (PS3.3 A.32.8, C.8.12.4).

Each instance is one level: in the index it is an image of the size of its total pixel matrix with one
frame, and `Instance.tiling` tells the tiles. A stack of a slide holds one level that fits into memory,
put together; all levels are read tile by tile with `viewer.imaging.tiles.SlideTiles`.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from viewer.imaging.calibration import positive_pair
from viewer.imaging.charset import clean
from viewer.imaging.headers import Header, HeaderError, Tag
from viewer.imaging.sequences import items, text
from viewer.imaging.study import Instance, Series, Study
from viewer.imaging.tiling import MAX_TILES, Flavour, Tiling, packed_places


@dataclass(frozen=True, slots=True)
class SlideLevel:
    """One level of a slide.

    Parameters
    ----------
    index
        0 for the level with most pixels.
    instance
        Its image; `instance.tiling` says size, tiles and spacing.
    downsample
        How many pixels of level 0 one pixel spans along a row.
    """

    index: int
    instance: Instance
    tiling: Tiling
    downsample: float


def levels_of(series: Series) -> tuple[SlideLevel, ...]:
    """Return the levels of a slide, the largest first; empty for any other series."""
    known = [(one, one.tiling) for one in series.instances if one.tiling is not None]
    known.sort(key=lambda pair: -pair[1].total_columns)
    return tuple(
        SlideLevel(index, instance, tiling, known[0][1].total_columns / tiling.total_columns)
        for index, (instance, tiling) in enumerate(known)
    )


def companions(study: Study, series: Series) -> dict[Flavour, Series]:
    """Return the label and the overview (macro) picture of a slide, where the study has them."""
    found: dict[Flavour, Series] = {}
    for other in study.series:
        tiling = other.instances[0].tiling if other.instances else None
        if tiling is None or other.series_instance_uid != series.series_instance_uid:
            continue
        if tiling.flavour in {Flavour.LABEL, Flavour.OVERVIEW}:
            found.setdefault(tiling.flavour, other)
    return found


def is_tiled(header: Header) -> bool:
    """True for an image whose frames are the tiles of a total pixel matrix."""
    return bool(header.count(Tag.TotalPixelMatrixRows) and header.count(Tag.TotalPixelMatrixColumns))


def with_tiling(header: Header, instance: Instance) -> Instance:
    """Return a tiled image as one frame of the size of its total pixel matrix.

    Raises
    ------
    HeaderError
        The tiles do not make a matrix.
    """
    rows, columns = (
        header.count(Tag.TotalPixelMatrixRows) or 0,
        header.count(Tag.TotalPixelMatrixColumns) or 0,
    )
    types = header.codes(Tag.ImageType)
    named = types[2] if len(types) > 2 else ""
    flavour = Flavour.OVERVIEW if named == "LOCALIZER" else Flavour.VOLUME
    tiling = Tiling(
        total_rows=rows,
        total_columns=columns,
        rows=instance.rows,
        columns=instance.columns,
        frames=instance.number_of_frames,
        planes=max(1, header.count(Tag.TotalPixelMatrixFocalPlanes) or 1),
        paths=max(1, header.count(Tag.NumberOfOpticalPaths) or 1),
        flavour=Flavour(named) if named in set(Flavour) else flavour,
        spacing=_spacing(header),
    )
    tiles = math.prod(tiling.grid)
    if max(tiles, instance.number_of_frames) > MAX_TILES:
        raise HeaderError("bad_header", f"Its header gives {tiles:,} tiles: impossible.")
    needed = tiles * tiling.planes * tiling.paths
    if header.code(Tag.DimensionOrganizationType) != "TILED_FULL" and needed > 1:
        places, planes, paths = _sparse_places(instance, tiling)
        tiling = tiling.model_copy(
            update={"packed": packed_places(places), "planes": planes, "paths": paths}
        )
    elif instance.number_of_frames < needed:
        raise HeaderError(
            "bad_header", f"Its header describes {instance.number_of_frames} of {needed:,} tiles."
        )
    return instance.model_copy(
        update={
            "tiling": tiling,
            "rows": rows,
            "columns": columns,
            "number_of_frames": 1,
            "plane": None,  # a slide has no place in the patient
            "overlays": (),
        }
    )


def _spacing(header: Header) -> tuple[float, float] | None:
    """Return row and column spacing, mm, from the shared functional groups, else the header itself."""
    for group in items(header, Tag.SharedFunctionalGroupsSequence):
        for measures in group.get("PixelMeasuresSequence") or ():
            value = measures.get("PixelSpacing")
            pair = positive_pair(tuple(map(float, value))) if value else None
            if pair is not None:
                return pair
    return positive_pair(header.decimals(Tag.PixelSpacing))


def _sparse_places(instance: Instance, tiling: Tiling) -> tuple[Any, int, int]:
    """Return the place of each frame of a TILED_SPARSE image, and the numbers of planes and paths.

    Raises
    ------
    HeaderError
        Positions are missing, or lie between tiles.
    """
    from pydicom import dcmread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = ["PerFrameFunctionalGroupsSequence"]
            data_set = dcmread(instance.path, stop_before_pixels=True, specific_tags=tags, force=True)
            found = [
                _position(group) for group in data_set.get("PerFrameFunctionalGroupsSequence") or ()
            ]
    except Exception as error:  # pydicom raises whatever its input provokes
        raise HeaderError(
            "bad_header", f"The places of its tiles cannot be read ({type(error).__name__})."
        ) from error
    if len(found) < tiling.frames:
        raise HeaderError("bad_header", f"Its header places {len(found)} of {tiling.frames} tiles.")
    depths = sorted({depth for _, _, depth, _ in found})
    paths = list(dict.fromkeys(path for _, _, _, path in found))
    places = np.empty((tiling.frames, 4), dtype=np.int32)
    grid = tiling.grid
    for frame, (row, column, depth, path) in enumerate(found[: tiling.frames]):
        down, right = divmod(row - 1, tiling.rows), divmod(column - 1, tiling.columns)
        if down[1] or right[1] or not (0 <= down[0] < grid[0] and 0 <= right[0] < grid[1]):
            raise HeaderError("unsupported", "Its tiles do not lie side by side: not shown.")
        places[frame] = down[0], right[0], depths.index(depth), paths.index(path)
    return places, len(depths), len(paths)


def _position(group: Any) -> tuple[int, int, float, str]:
    """Return row and column (from 1) of the tile of a frame, its height and its optical path."""
    place = group.PlanePositionSlideSequence[0]
    path = next(iter(group.get("OpticalPathIdentificationSequence") or ()), None)
    return (
        int(place.RowPositionInTotalImagePixelMatrix),
        int(place.ColumnPositionInTotalImagePixelMatrix),
        float(place.get("ZOffsetInSlideCoordinateSystem") or 0.0),
        "" if path is None else clean(text(path, "OpticalPathIdentifier")),
    )
