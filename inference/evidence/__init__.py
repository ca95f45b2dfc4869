"""Tools that measure; each returns Evidence or a typed refusal."""
