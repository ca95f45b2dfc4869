"""Evidence of a chest CT of 300 slices against a straight SimpleITK recipe on the same voxels."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.lung_cases import dice
from inference.evaluation.phantom_scan import Look, Scan, scan
from inference.evidence.chest.blobs import DIAMETERS_MM, blobs
from inference.evidence.chest.nodule_size import measured
from inference.evidence.lung_mask import segment_lungs
from inference.evidence.orientation import bounds

SPACING = (1.0, 0.75, 0.75)
SIZE = 512
SIZED = 30


def run() -> list[dict[str, object]]:
    """Return the rows of this benchmark: seconds of ours and of the reference, in one run."""
    chest = _wide(scan(SPACING, look=Look(noise_hu=18.0)))
    began = time.perf_counter()
    lungs, found = _ours(chest)
    ours = time.perf_counter() - began
    began = time.perf_counter()
    reference, peaks = _straight(chest)
    theirs = time.perf_counter() - began
    truth = chest.right | chest.left
    return [
        {
            "name": "lungs and nodule candidates of 300 slices",
            "ours": ours,
            "reference": theirs,
            "ratio": ours / theirs,
            "note": f"seconds, {' x '.join(map(str, chest.hu.shape))}; Dice {dice(lungs, truth):.3f}, "
            f"reference {dice(reference, truth):.3f}; {found} places with sizes, reference {peaks} "
            "places without; reference: SimpleITK threshold, connected components, closing by a ball, "
            "Laplacian of Gaussian at the same scales",
        }
    ]


def _wide(chest: Scan) -> Scan:
    """Return a scan padded with air to the matrix of a scanner."""

    def wide(array: npt.NDArray[Any], value: Any) -> npt.NDArray[Any]:
        pads = [(0, 0)]
        for size in array.shape[1:]:
            left = max(0, SIZE - size) // 2
            pads.append((left, max(0, SIZE - size) - left))
        return np.pad(array, pads, constant_values=value)

    return Scan(
        hu=wide(chest.hu, -1000),
        affine=chest.affine,
        spacing=chest.spacing,
        right=wide(chest.right, False),
        left=wide(chest.left, False),
        beside=wide(chest.beside, False),
    )


def _ours(chest: Scan) -> tuple[npt.NDArray[np.bool_], int]:
    lungs = segment_lungs(chest.hu, chest.affine, chest.spacing)
    both = lungs.right | lungs.left
    box = bounds(both, margin=(2, 4, 4))
    hu, inside = chest.hu[box], both[box]
    sized = 0
    for blob in blobs(hu, inside, chest.spacing)[:SIZED]:
        peak = blob.peak
        if measured(hu, inside, peak.place, peak.diameter_mm, chest.spacing) is not None:
            sized += 1
    return both, sized


def _straight(chest: Scan) -> tuple[npt.NDArray[np.bool_], int]:
    """Return lungs and peaks as a short SimpleITK script makes them at full size."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(chest.hu)
    image.SetSpacing(chest.spacing[::-1])
    parts = SimpleITK.ConnectedComponent(SimpleITK.BinaryThreshold(image, -2000, -400))
    labels = SimpleITK.GetArrayViewFromImage(parts)
    sizes = np.bincount(labels.ravel())
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        sizes[np.unique(edge)] = 0
    sizes[0] = 0
    first, second = (int(label) for label in np.argsort(sizes)[::-1][:2])
    lungs = SimpleITK.Or(parts == first, parts == second)
    radius = [max(1, round(6.0 / step)) for step in chest.spacing[::-1]]
    lungs = SimpleITK.BinaryMorphologicalClosing(lungs, radius, SimpleITK.sitkBall)
    filled = SimpleITK.Cast(SimpleITK.Mask(image, lungs, -850), SimpleITK.sitkFloat32)
    mask = SimpleITK.GetArrayViewFromImage(lungs) > 0
    places = 0
    for diameter in DIAMETERS_MM:
        sigma = diameter / (2.0 * np.sqrt(3.0))
        response = SimpleITK.LaplacianRecursiveGaussian(filled, sigma, True)
        minima = SimpleITK.RegionalMinima(response, fullyConnected=True)
        peaks = SimpleITK.Cast(minima, SimpleITK.sitkUInt8)
        strong = SimpleITK.And(peaks, SimpleITK.BinaryThreshold(response, -1e9, -110.0))
        places += int(np.count_nonzero((SimpleITK.GetArrayViewFromImage(strong) > 0) & mask))
    return mask.copy(), places


if __name__ == "__main__":
    for row in run():
        figures = f"{row['ours']:.4g} / {row['reference']:.4g} = {row['ratio']:.3g}"
        print(f"{row['name']}: {figures} ({row['note']})")
