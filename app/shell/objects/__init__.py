"""Objects of others: segmentations, contours, presentation states, reports."""
