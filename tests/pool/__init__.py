"""Tests of the pool core."""
