"""SQS as a service inside the daemon: the API, event source mappings and destinations share it."""
