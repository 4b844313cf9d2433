"""What has never been seen, as no account was at hand: each with the command that would show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unproven:
    """what: a claim. command: what shows whether it holds."""

    what: str
    command: str


UNPROVEN = (
    Unproven("CloudFormation takes the template", "scripts/deploy-aws deploy --image-uri URI"),
    Unproven("AWS's base image builds and runs", "scripts/deploy-aws build && scripts/deploy-aws smoke"),
    Unproven("ECR takes the image as docker, podman or buildah push it", "scripts/deploy-aws package --yes"),
    Unproven("the roles are enough, and the queue is polled", "scripts/deploy-aws smoke"),
    Unproven(
        "S3 tells of an object that is gone with 404 and not 403, by s3:ListBucket",
        "aws lambda invoke --function-name SHARDS --payload file://an-event-of-a-missing-key.json /dev/stdout",
    ),
    Unproven("requests by key and by IAM pass, others get 403", 'curl -si -X POST EMBED_URL -d \'{"text":"a"}\''),
    Unproven("start and warm time on Lambda's own processors", "aws logs tail LOG_GROUP --filter-pattern REPORT"),
    Unproven(
        "the largest image passes API Gateway",
        "curl -si -H 'Content-Type: image/jpeg' --data-binary @4.5MB.jpg EMBED_URL",
    ),
    Unproven(
        "alarms go off",
        "aws sqs send-message --queue-url QUEUE_URL --message-body nonsense; aws cloudwatch describe-alarms",
    ),
    Unproven(
        "arm64 starts (onnxruntime has crashed there)",
        "scripts/deploy-aws build --machine arm64; scripts/deploy-aws deploy --parameter Architecture=arm64 ...",
    ),
    Unproven(
        "another AuthType takes effect at once", "scripts/deploy-aws deploy --parameter AuthType=IAM --image-uri URI"
    ),
    Unproven("deleting the stack leaves the bucket", "scripts/deploy-aws delete && aws s3 ls s3://BUCKET"),
)
