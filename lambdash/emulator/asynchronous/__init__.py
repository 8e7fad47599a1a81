"""Asynchronous invocation: accepted means on disk; retried, aged, delivered as AWS does it.

``decisions`` says what becomes of an event after each attempt, ``records`` what a destination
gets; both are pure. ``lane`` orders one function's events, ``queue`` is the shell around them.
"""
