"""Names of a manifest as ARNs of its own region and account."""

from dataclasses import dataclass

from lambdash.manifest.grammar import Project
from lambdash.manifest.problems import Position, did_you_mean, shown
from lambdash.manifest.sources import Subject


@dataclass(frozen=True, slots=True)
class Places:
    """Where names without an ARN are: the project's own region and account."""

    project: Project
    functions: frozenset[str]

    def arn(self, service: str, name: str) -> str:
        """The ARN of something of this project."""
        prefix = "function:" if service == "lambda" else ""
        place = f"{self.project.region}:{self.project.account_id}"
        return f"arn:aws:{service}:{place}:{prefix}{name}"


def queue_arn(subject: Subject, name: str, position: Position, places: Places) -> str:
    """The ARN of a queue by its name in `resources`, or as it is written."""
    if name.startswith("arn:"):
        return name
    queues = places.project.resources.queues
    if name not in queues:
        subject.report(
            "queue-unknown",
            position,
            f"there is no queue {shown(name)} in `resources`",
            did_you_mean(name, queues) or f"add `resources: {{queues: {{{name}: {{}}}}}}`",
        )
    return places.arn("sqs", name)
