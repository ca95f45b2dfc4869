"""From DICOM bytes to arrays with geometry: index, read, decode, grey pipeline. No Qt."""
