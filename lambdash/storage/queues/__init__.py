"""SQS's queues and messages in SQLite: what is sent is on disk, and memory does not grow with it.

Every function takes a connection inside a transaction and ``now`` (epoch seconds): the store
commits them in groups, and no function reads a clock. ``schema`` says what the rows mean.
"""
