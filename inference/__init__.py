"""From pixels to a draft with evidence. No Qt."""
