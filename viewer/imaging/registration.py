"""Rigid registration of two volumes: what is asked for, what the worker does with it, what comes back.

The worker gets both volumes as shared memory, averaged to about 2 mm, and finds the motion that
maximises Mattes' mutual information (six parameters: three angles, three shifts), coarse to fine. It
starts from the best of three guesses: as the coordinates say, middle on middle, and centre of mass on
centre of mass. Samples are drawn with a fixed seed and on one thread: the same volumes give the same
result. What is found is a proposal: only a person's confirmation joins two frames of reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray
from viewer.imaging.spaces import Registration
from viewer.imaging.study import Series
from viewer.imaging.volume import Volume
from viewer.imaging.worker.serve import Refused

if TYPE_CHECKING:
    from viewer.imaging.worker.cancel import CancelToken
    from viewer.imaging.worker.host import WorkerHost
    from viewer.imaging.worker.memory import SharedBuffer, SharedPool
    from viewer.imaging.worker.serve import WorkerContext

MODALITIES: Final = ("CT", "MR", "PT", "NM")
"""Modalities whose volumes are compared."""

WORKING_SPACING: Final = 2.0
"""Voxels finer than this are averaged, mm: finer ones add time and no accuracy."""

MOST_VOXELS: Final = 6_000_000

FEWEST_SLICES: Final = 5
SMALLEST_OVERLAP: Final = 0.2
"""Share of the smaller volume below which a result says nothing."""

SEED: Final = 20_240_611
BINS: Final = 48


@dataclass(frozen=True)
class Level:
    """One of the steps from coarse to fine.

    Parameters
    ----------
    shrink, smoothing
        Factor by which voxels are left out, and the smoothing before it, mm.
    samples
        Voxels that are compared.
    iterations
        Most steps.
    """

    shrink: int
    smoothing: float
    samples: int
    iterations: int


COARSE: Final = Level(4, 4.0, 10_000, 60)
FINE: Final = Level(1, 1.0, 40_000, 8)
"""Coarse: down the gradient, from every guess. Fine: line by line (Powell), from the best of them,
which needs no gradient and comes three times as close in the same time."""

RADIUS: Final = 60.0
"""Millimetres that a turn by one radian counts as: the size of a head."""

LINE_STEPS, LINE_STEP, LINE_END, WORTH_END = 12, 2.0, 0.01, 1e-6
"""Of a search along one line: most steps, first step and end in mm, and end of the metric's gain."""

CLIP: Final = (0.5, 99.7)
"""Percentiles to which values are cut: metal and noise would widen the histogram."""

TELLING: Final = 0.005
"""A rise of the mutual information below this is no better than the start."""

SMALL_OVERLAP: Final = 0.5
LARGE_TURN: Final = 20.0
"""Degrees: patients rarely lie this differently."""

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Proposal:
    """What a registration found.

    Parameters
    ----------
    matrix
        4 x 4, moving -> fixed, LPS mm.
    metric_before, metric_after
        Mattes mutual information, negative: lower is better. Before: as the coordinates say, or the
        best guess where these do not overlap.
    overlap
        Share of the smaller volume that lies in the other, 0 to 1.
    """

    matrix: FloatArray
    metric_before: float
    metric_after: float
    overlap: float

    def quality(self) -> str:
        """Say in plain words how far it can be trusted; a person decides."""
        found = []
        gain = self.metric_before - self.metric_after
        if gain < TELLING:
            found.append("No better match was found than where it began.")
        if self.overlap < SMALL_OVERLAP:
            found.append(f"Only {100 * self.overlap:.0f} % of the smaller series lies in the other.")
        degrees = turn_of(self.matrix)
        if degrees > LARGE_TURN:
            found.append(f"It turns the patient by {degrees:.0f} degrees.")
        if not found:
            found.append(f"The match is clearly better; {100 * self.overlap:.0f} % lie in each other.")
        return " ".join((*found, "Check it on several slices."))


def turn_of(matrix: FloatArray) -> float:
    """Return the angle of a rotation, degrees."""
    return math.degrees(math.acos(max(-1.0, min(1.0, (float(np.trace(matrix[:3, :3])) - 1) / 2))))


def why_not(fixed: Series, moving: Series) -> str:
    """Return why two series are not registered, in words for the reader; empty when they can be."""
    for series in (fixed, moving):
        if series.modality not in MODALITIES:
            return (
                f"{series.modality or 'Such'} series are not registered: {', '.join(MODALITIES)} are."
            )
        if not series.frame_of_reference_uid:
            return "A series without a frame of reference cannot be joined to another."
        if series.image_count < FEWEST_SLICES:
            return f"A series of fewer than {FEWEST_SLICES} images is too thin to be registered."
    if fixed.frame_of_reference_uid == moving.frame_of_reference_uid:
        return "These series share a frame of reference: they are linked as they are."
    return ""


def rigid(matrix: npt.ArrayLike) -> FloatArray:
    """Return the motion that is nearest to a matrix: rounding taken out of its rotation."""
    found = np.array(matrix, dtype=np.float64)
    left, _, right = np.linalg.svd(found[:3, :3])
    found[:3, :3] = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    found[3] = (0.0, 0.0, 0.0, 1.0)
    return found


def nudged(
    matrix: FloatArray,
    about: npt.ArrayLike,
    *,
    shift: npt.ArrayLike = (0.0, 0.0, 0.0),
    axis: npt.ArrayLike | None = None,
    degrees: float = 0.0,
) -> FloatArray:
    """Return a motion followed by a small one in the fixed space: a turn about a place, a shift."""
    step = np.eye(4)
    if axis is not None and degrees:
        from viewer.imaging.reformat import rotation

        step[:3, :3] = rotation(axis, degrees)
        place = np.asarray(about, dtype=np.float64)
        step[:3, 3] = place - step[:3, :3] @ place
    step[:3, 3] += np.asarray(shift, dtype=np.float64)
    return rigid(step @ matrix)


def as_registration(
    matrix: FloatArray, fixed: Series, moving: Series, *, method: str, proposal: Proposal | None = None
) -> Registration:
    """Return a registration that nobody has confirmed yet."""
    return Registration(
        fixed=fixed.frame_of_reference_uid,
        moving=moving.frame_of_reference_uid,
        fixed_series=fixed.series_instance_uid,
        moving_series=moving.series_instance_uid,
        matrix=tuple(rigid(matrix).ravel().tolist()),
        method=method,
        metric_before=None if proposal is None else proposal.metric_before,
        metric_after=None if proposal is None else proposal.metric_after,
        overlap=None if proposal is None else proposal.overlap,
    )


# --- the caller's side -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Small:
    """A volume as it is compared."""

    values: npt.NDArray[np.float32]
    affine: FloatArray


def averaged(volume: Volume) -> tuple[npt.NDArray[np.float32], FloatArray]:
    """Return a volume averaged to the working spacing, (slice, row, column), and its affine."""
    factors = [max(1, round(WORKING_SPACING / edge)) for edge in volume.spacing]
    while math.prod(volume.stored.shape) / math.prod(factors) > MOST_VOXELS:
        edges = [edge * factor for edge, factor in zip(volume.spacing, factors, strict=True)]
        factors[edges.index(min(edges))] += 1
    for axis, factor in enumerate(factors):
        factors[axis] = min(factor, volume.stored.shape[axis])
    counts = [size // factor for size, factor in zip(volume.stored.shape, factors, strict=True)]
    kept = volume.stored[tuple(slice(0, n * f) for n, f in zip(counts, factors, strict=True))]
    values = np.empty(counts, dtype=np.float32)
    for k in range(counts[0]):  # slab by slab: no copy of the whole volume in floats
        slab = kept[k * factors[0] : (k + 1) * factors[0]].astype(np.float32)
        blocks = slab.reshape(factors[0], counts[1], factors[1], counts[2], factors[2])
        values[k] = blocks.mean(axis=(0, 2, 4))
    affine = volume.affine.copy()
    shift = (np.array(factors[::-1]) - 1) / 2
    affine[:3, 3] += affine[:3, :3] @ shift
    affine[:3, :3] *= np.array(factors[::-1])
    low, high = np.percentile(values, CLIP)
    return np.clip(values, low, high), affine


def register(
    host: WorkerHost,
    pool: SharedPool,
    fixed: Volume,
    moving: Volume,
    *,
    on_progress: Progress | None = None,
    cancel: CancelToken | None = None,
) -> Proposal:
    """Ask a worker how one volume lies in the other; blocks.

    Raises
    ------
    WorkerError
        There is no result; the message says why.
    """
    buffers: list[SharedBuffer] = []
    sides = []
    try:
        for volume in (fixed, moving):
            values, affine = averaged(volume)
            buffer = pool.acquire(values.nbytes)
            buffers.append(buffer)
            buffer.view(np.float32, values.shape, writable=True)[...] = values
            sides.append({"shape": list(values.shape), "affine": affine.ravel().tolist()})
        result = host.call(
            "register",
            {"fixed": sides[0], "moving": sides[1]},
            buffers=[buffer.read_only() for buffer in buffers],
            on_event=lambda event: on_progress(float(event["share"])) if on_progress else None,
            cancel=cancel,
        )
    finally:
        for buffer in buffers:
            buffer.release()
    return Proposal(
        matrix=rigid(np.reshape(result["matrix"], (4, 4))),
        metric_before=float(result["metric_before"]),
        metric_after=float(result["metric_after"]),
        overlap=float(result["overlap"]),
    )


# --- the worker's side -----------------------------------------------------------------------------


def handle(params: dict[str, Any], context: WorkerContext) -> dict[str, Any]:
    """Register two volumes (operation "register" of the imaging worker).

    Parameters
    ----------
    params
        `fixed` and `moving`: `shape` (slices, rows, columns) and `affine` (16 numbers by rows) of the
        float32 volumes in the first and the second buffer.

    Returns
    -------
    dict
        `matrix` (16 numbers, moving -> fixed), `metric_before`, `metric_after`, `overlap`.
    """
    sides = []
    for buffer, name in zip(context.buffers, ("fixed", "moving"), strict=True):
        shape = tuple(int(size) for size in params[name]["shape"])
        affine = np.reshape(np.asarray(params[name]["affine"], dtype=np.float64), (4, 4))
        sides.append(_Small(np.array(buffer.view(np.float32, shape)), affine))
    for side in sides:
        if float(np.ptp(side.values)) == 0.0:
            raise Refused("empty", "Every voxel of one series has the same value.")
    return _Search(sides[0], sides[1], context).run()


class _Search:
    """One registration in progress."""

    def __init__(self, fixed: _Small, moving: _Small, context: WorkerContext) -> None:
        self.fixed, self.moving, self.context = fixed, moving, context

    def run(self) -> dict[str, Any]:
        import SimpleITK

        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        fixed, moving = _image(self.fixed), _image(self.moving)
        starts = self._starts()
        if not starts:
            raise Refused("apart", "The two series show nothing in common.")
        given = self._score(fixed, moving, np.eye(4))
        coarse = [self._descend(fixed, moving, start, COARSE) for start in starts]
        best = max((*starts, *coarse), key=lambda one: self._worth(fixed, moving, one))
        found = self._descend(fixed, moving, best, FINE)
        if self._worth(fixed, moving, found) < self._worth(fixed, moving, best):
            found = best  # the search lost its way: where it began is better
        share = overlap(self.fixed, self.moving, found)
        if share < SMALLEST_OVERLAP:
            words = (
                f"Only {100 * share:.0f} % of the smaller series would lie in the other: too little."
            )
            raise Refused("overlap", words)
        return {
            "matrix": np.linalg.inv(found).ravel().tolist(),
            "metric_before": given,
            "metric_after": self._score(fixed, moving, found),
            "overlap": share,
        }

    def _descend(self, fixed: Any, moving: Any, start: FloatArray, level: Level) -> FloatArray:
        """Return the best motion near another; the start itself where the two come apart."""
        import SimpleITK

        method = self._method(fixed, level)
        transform = SimpleITK.Euler3DTransform(_transform(start, _middle(self.fixed)))
        method.SetInitialTransform(transform, inPlace=True)
        method.AddCommand(SimpleITK.sitkIterationEvent, lambda: self._stepped(method, level))
        try:
            method.Execute(fixed, moving)
        except RuntimeError:
            return start
        finally:
            if self.context.cancelled():
                raise Refused("cancelled", "Stopped as asked.")
        return _matrix(transform)

    def _worth(self, fixed: Any, moving: Any, matrix: FloatArray) -> float:
        """Return the mutual information times the overlap: a thin common slice can agree by chance."""
        return -self._score(fixed, moving, matrix) * overlap(self.fixed, self.moving, matrix)

    def _starts(self) -> list[FloatArray]:
        """Return guesses, fixed -> moving, that overlap enough: coordinates, middles, masses."""
        guesses = [np.eye(4)]
        for place in (_middle, _mass):
            guess = np.eye(4)
            guess[:3, 3] = place(self.moving) - place(self.fixed)
            guesses.append(guess)
        return [one for one in guesses if overlap(self.fixed, self.moving, one) >= SMALLEST_OVERLAP]

    def _method(self, fixed: Any, level: Level) -> Any:
        import SimpleITK

        method = SimpleITK.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        method.SetMetricSamplingStrategy(method.RANDOM)
        voxels = fixed.GetNumberOfPixels() / level.shrink**3
        method.SetMetricSamplingPercentage(min(1.0, level.samples / voxels), SEED)
        method.SetInterpolator(SimpleITK.sitkLinear)
        if level is COARSE:
            method.SetOptimizerAsRegularStepGradientDescent(
                learningRate=4.0,
                minStep=0.1,
                numberOfIterations=level.iterations,
                relaxationFactor=0.7,
                gradientMagnitudeTolerance=1e-8,
            )
            method.SetOptimizerScalesFromPhysicalShift()
        else:
            method.SetOptimizerAsPowell(
                numberOfIterations=level.iterations,
                maximumLineIterations=LINE_STEPS,
                stepLength=LINE_STEP,
                stepTolerance=LINE_END,
                valueTolerance=WORTH_END,
            )
            method.SetOptimizerScales([RADIUS, RADIUS, RADIUS, 1.0, 1.0, 1.0])
        method.SetShrinkFactorsPerLevel([level.shrink])
        method.SetSmoothingSigmasPerLevel([level.smoothing])
        method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
        return method

    def _score(self, fixed: Any, moving: Any, matrix: FloatArray) -> float:
        """Return the metric of a motion; 0, as bad as can be, where there is too little in common."""
        method = self._method(fixed, FINE)
        method.SetInitialTransform(_transform(matrix, _middle(self.fixed)))
        try:
            return float(method.MetricEvaluate(fixed, moving))
        except RuntimeError:
            return 0.0

    def _stepped(self, method: Any, level: Level) -> None:
        if self.context.cancelled():
            method.StopRegistration()
            return
        share = min(method.GetOptimizerIteration() / level.iterations, 1.0)
        self.context.emit({"share": share * 0.4 if level is COARSE else 0.4 + share * 0.6})


def overlap(fixed: _Small, moving: _Small, matrix: FloatArray) -> float:
    """Return the share of the smaller box that lies in the other under fixed -> moving."""

    def inside(of: _Small, other: _Small, way: FloatArray) -> float:
        sizes = np.asarray(of.values.shape[::-1])
        axes = [np.linspace(0, size - 1, 12) for size in sizes]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        to_voxel = np.linalg.inv(other.affine) @ way @ of.affine
        at = grid @ to_voxel[:3, :3].T + to_voxel[:3, 3]
        far = np.asarray(other.values.shape[::-1]) - 0.5
        return float(np.all((at >= -0.5) & (at <= far), axis=1).mean())

    back = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    return max(inside(fixed, moving, matrix), inside(moving, fixed, back))


def _middle(side: _Small) -> FloatArray:
    middle = (np.asarray(side.values.shape[::-1]) - 1) / 2
    return np.asarray(side.affine[:3, :3] @ middle + side.affine[:3, 3])


def _mass(side: _Small) -> FloatArray:
    """Return the centre of mass above the lowest value, LPS mm."""
    weight = side.values - side.values.min()
    total = float(weight.sum(dtype=np.float64))
    place = []
    for axis in (2, 1, 0):
        rest = tuple(other for other in range(3) if other != axis)
        along = weight.sum(axis=rest, dtype=np.float64)
        place.append(float(along @ np.arange(len(along))) / total)
    return np.asarray(side.affine[:3, :3] @ np.asarray(place) + side.affine[:3, 3])


def _image(side: _Small) -> Any:
    import SimpleITK

    image = SimpleITK.GetImageFromArray(side.values)
    spacing = np.linalg.norm(side.affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(side.affine[:3, 3].tolist())
    image.SetDirection((side.affine[:3, :3] / spacing).ravel().tolist())
    return image


def _transform(matrix: FloatArray, centre: FloatArray) -> Any:
    """Return a motion, fixed -> moving, as one of SimpleITK about a centre."""
    import SimpleITK

    transform = SimpleITK.Euler3DTransform()
    transform.SetCenter(centre.tolist())
    transform.SetMatrix(rigid(matrix)[:3, :3].ravel().tolist(), 1e-6)
    moved = matrix[:3, :3] @ centre + matrix[:3, 3]
    transform.SetTranslation((moved - centre).tolist())
    return transform


def _matrix(transform: Any) -> FloatArray:
    found = np.eye(4)
    found[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    centre = np.asarray(transform.GetCenter())
    found[:3, 3] = np.asarray(transform.GetTranslation()) + centre - found[:3, :3] @ centre
    return rigid(found)
