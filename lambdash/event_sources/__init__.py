"""Event sources: what brings events to functions, with the semantics of AWS's own pollers.

``mapping`` is what a poller is given, ``batch_response`` reads partial failures; both are pure.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""
