"""Front doors: HTTP from browsers and webhooks, as events of functions.

``payload_v2`` makes the event of a request and the answer of a response, ``cors`` decides what a
page of another origin may do; both are pure. ``function_urls`` is the shell.
"""
