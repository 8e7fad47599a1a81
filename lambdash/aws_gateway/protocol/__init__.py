"""AWS's query and JSON protocols, driven by botocore's service models. Pure."""
