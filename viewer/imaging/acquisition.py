"""How a series was acquired, as far as a measure depends on it: MR times, exposure of a radiograph."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class AcquisitionFacts(BaseModel):
    """Values of the header of the first image; none or empty where it does not say.

    Parameters
    ----------
    repetition_ms, echo_ms, inversion_ms
        Repetition, Echo and Inversion Time of MR (PS3.3 C.8.3.1), ms.
    scanning_sequence
        Scanning Sequence (0018,0020): "SE", "IR", "GR", "EP".
    exposure_index, target_exposure_index, deviation_index
        Of a radiograph as IEC 62494-1 defines them (PS3.3 C.8.7.1.1.9 and C.8.11.7).
    """

    model_config = ConfigDict(frozen=True)

    repetition_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None
    scanning_sequence: tuple[str, ...] = ()
    exposure_index: float | None = None
    target_exposure_index: float | None = None
    deviation_index: float | None = None
