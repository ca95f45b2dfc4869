"""What writes and cleans DICOM for others: runs in the worker "export", as it parses DICOM."""
