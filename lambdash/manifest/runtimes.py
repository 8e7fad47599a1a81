"""Runtime identifiers as AWS lists them.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

CURRENT = (
    "dotnet8",
    "dotnet10",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "provided.al2",
    "provided.al2023",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
)

# deprecated, and AWS still runs what there is of them
DEPRECATED = ("dotnet6", "nodejs16.x", "nodejs18.x", "python3.8", "ruby2.7")

KNOWN = CURRENT + DEPRECATED

# identifiers of runtimes that are gone, and what people move to
RETIRED = {
    "dotnetcore1.0": "dotnet10",
    "dotnetcore2.0": "dotnet10",
    "dotnetcore2.1": "dotnet10",
    "dotnetcore3.1": "dotnet10",
    "go1.x": "provided.al2023",
    "java8": "java25",
    "nodejs": "nodejs24.x",
    "nodejs4.3": "nodejs24.x",
    "nodejs6.10": "nodejs24.x",
    "nodejs8.10": "nodejs24.x",
    "nodejs10.x": "nodejs24.x",
    "nodejs12.x": "nodejs24.x",
    "nodejs14.x": "nodejs24.x",
    "provided": "provided.al2023",
    "python2.7": "python3.14",
    "python3.6": "python3.14",
    "python3.7": "python3.14",
    "ruby2.5": "ruby4.0",
}


def is_os_only(runtime: str) -> bool:
    """Whether the function brings its own ``bootstrap``."""
    return runtime.startswith("provided")
