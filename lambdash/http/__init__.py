"""A small bounded HTTP/1.1 server: every HTTP face of lambdash stands on it."""
