"""Watching sources: which function an edit belongs to, without the noise of editors and builds."""
