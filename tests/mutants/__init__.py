"""Known defects, as patches, and the proof that the suite fails on each."""
