"""SQS: standard and FIFO queues, durable, in the JSON and the query protocol.

``door`` reads requests and writes answers, ``operations`` has a function for each operation,
``service`` holds the store and who waits in a long poll. Semantics of messages lie in
``storage.queues``. Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/.
"""
