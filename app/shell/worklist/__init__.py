"""The worklist: studies, search, import."""
