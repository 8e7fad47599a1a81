"""lambdash: AWS Lambda on your own machine."""

__version__ = "0.1.0"
