"""The DICOM objects of others: segmentations, contours, presentation states, reports, documents.

`foreign` is what the index says of one, `content` what is inside. Files are read in the imaging
worker only (`handler`); everything else here works on plain values and runs anywhere.
"""
