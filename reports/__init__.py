"""From a draft to a sealed document. No Qt."""
