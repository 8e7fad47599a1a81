"""botocore's models of services, each read on first use."""

from functools import cache

from botocore.model import OperationModel, ServiceModel

from lambdash.aws_gateway.errors import AwsError


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service by botocore's name of it."""
    from botocore.session import Session  # noqa: PLC0415 - 0.1 s that only its users pay

    return Session().get_service_model(service)


def operation_model(service: str, name: str) -> OperationModel:
    """Raises ``AwsError`` (``InvalidAction``) for what is no operation."""
    model = service_model(service)
    if name not in model.operation_names:
        raise AwsError("InvalidAction", f"The action {name} is not valid for this endpoint.")
    return model.operation_model(name)
