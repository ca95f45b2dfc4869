"""What others left with the images: segmentations, contours, presentation states, reports."""
