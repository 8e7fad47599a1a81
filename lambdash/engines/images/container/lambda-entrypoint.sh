#!/bin/sh
# The contract of AWS's base images: the handler is the only argument, and the runtime is started
# directly where AWS_LAMBDA_RUNTIME_API says where to ask for invocations.
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" >&2
  exit 142
fi
export _HANDLER="$1"
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
  echo "AWS_LAMBDA_RUNTIME_API is not set: this image has no interface emulator, start it with lambdash" >&2
  exit 1
fi
exec /var/runtime/bootstrap
