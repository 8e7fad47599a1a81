"""Results as text: pure functions, tested by golden files."""
