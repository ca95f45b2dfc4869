"""Key images as a DICOM Key Object Selection document (PS3.3 A.35.4, TID 2010), with highdicom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from reports.export.sr import MANUFACTURER, SrError, person_name, uid_of

SERIES_NUMBER: Final = 9003


def build_key_object(sources: Sequence[Any], *, person: str, description: str) -> Any:
    """Return a document that selects these images "for report attachment", in their order.

    Raises
    ------
    SrError
        There is no image, or highdicom refuses what the images say.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    if not sources:
        raise SrError("There is no key image to export.")
    try:
        content = hd.ko.KeyObjectSelection(
            document_title=codes.DCM.ForReportAttachment,
            referenced_objects=list(sources),
            observer_person_context=hd.sr.ObserverContext(
                observer_type=codes.DCM.Person,
                observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(
                    name=person_name(person)
                ),
            ),
            description=description or None,
        )
        study = str(sources[0].StudyInstanceUID)
        selected = " ".join(str(source.SOPInstanceUID) for source in sources)
        return hd.ko.KeyObjectSelectionDocument(
            evidence=list(sources),
            content=content,
            series_instance_uid=uid_of("ko series", study, person),
            series_number=SERIES_NUMBER,
            sop_instance_uid=uid_of("ko", study, person, selected, description),
            instance_number=1,
            manufacturer=MANUFACTURER,
            series_description="Sightline key images",
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise SrError(f"The key images cannot be written as a document: {error}") from error
