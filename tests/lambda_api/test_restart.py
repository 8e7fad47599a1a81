"""What the operations keep is there after a restart."""

import hashlib
from typing import Any

from tests.lambda_api.client import archive, new_function, using
from tests.lambda_api.conftest import MakeEndpoint
from tests.lambda_api.qualified import ARN, with_alias
from tests.lambda_api.test_permissions import INVOKE
from tests.lambda_api.test_tags import PUBLISHERS


def _put(aws: Any) -> None:
    aws.add_permission(**INVOKE)
    aws.add_permission(**INVOKE, Qualifier="live")
    aws.tag_resource(Resource=ARN, Tags={"a": "1"})
    aws.put_function_event_invoke_config(FunctionName="hello", MaximumRetryAttempts=1)
    aws.create_function_url_config(FunctionName="hello:live", AuthType="NONE")
    aws.put_function_recursion_config(FunctionName="hello", RecursiveLoop="Allow")
    aws.put_runtime_management_config(FunctionName="hello", UpdateRuntimeOn="FunctionUpdate")
    made = aws.create_code_signing_config(AllowedPublishers=PUBLISHERS, Tags={"b": "2"})
    arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    aws.put_function_code_signing_config(CodeSigningConfigArn=arn, FunctionName="hello")
    aws.publish_layer_version(LayerName="tools", Content={"ZipFile": archive()})
    aws.add_layer_version_permission(
        LayerName="tools",
        VersionNumber=1,
        Action="lambda:GetLayerVersion",
        Principal="*",
        StatementId="all",
    )


def _read(aws: Any) -> list[Any]:
    function = {"FunctionName": "hello"}
    signing = aws.get_function_code_signing_config(**function)["CodeSigningConfigArn"]
    url = aws.get_function_url_config(**function, Qualifier="live")
    answers = [
        aws.get_policy(**function),
        aws.get_policy(**function, Qualifier="live"),
        aws.list_tags(Resource=ARN),
        aws.get_function_event_invoke_config(**function),
        {**url, "FunctionUrl": url["FunctionUrl"].split(":")[1]},
        aws.get_function_recursion_config(**function),
        aws.get_runtime_management_config(**function),
        aws.get_code_signing_config(CodeSigningConfigArn=signing),
        aws.list_tags(Resource=signing),
        aws.list_layers(),
        aws.get_layer_version_policy(LayerName="tools", VersionNumber=1),
    ]
    return [{**answer, "ResponseMetadata": None} for answer in answers]


async def test_everything_is_kept(make_endpoint: MakeEndpoint) -> None:
    first = await make_endpoint()
    await first.rig.deploy()
    with_alias(first)
    await using(first, _put)
    before = await using(first, _read)
    await first.server.close(0.5)
    await first.rig.close()
    second = await make_endpoint()
    assert await using(second, _read) == before


async def test_a_functions_code_outlives_the_store(make_endpoint: MakeEndpoint) -> None:
    first = await make_endpoint()

    def make(aws: Any) -> None:
        aws.create_function(**new_function())
        aws.get_waiter("function_active_v2").wait(FunctionName="made")
        aws.publish_version(FunctionName="made")

    await using(first, make)
    first.rig.emulator.archives.keep(b"nothing refers to this")
    await first.server.close(0.5)
    await first.rig.close()
    assert first.rig.store.prune() > 0
    second = await make_endpoint()
    await second.rig.emulator.start()
    archives = second.rig.emulator.archives
    assert not archives.path(hashlib.sha256(b"nothing refers to this").hexdigest()).exists()

    def use(aws: Any) -> None:
        for qualifier in ("$LATEST", "1"):
            answer = aws.invoke(FunctionName="made", Qualifier=qualifier, Payload=b"1")
            assert (answer["Payload"].read(), answer["ExecutedVersion"]) == (b"1", qualifier)

    await using(second, use)
