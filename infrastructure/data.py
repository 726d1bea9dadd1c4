"""Owns the state on AWS: every table and bucket of `storage.schema`, the key of the buckets, and their access log."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Tags
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from chalicelib.storage import settings
from chalicelib.storage.key_words import KEEPER
from chalicelib.storage.schema import BUCKETS, KEYS, TABLES, Bucket, Index, Key, Table
from functions.wiring import FUNCTIONS, Inbox
from infrastructure.stacks import MarketStack, accept, bucket_name, expiring
from infrastructure.stage import Stage

_OLD_VERSIONS_DAYS = 90
_METHODS = [s3.HttpMethods.GET, s3.HttpMethods.HEAD, s3.HttpMethods.POST, s3.HttpMethods.PUT]


class Data(MarketStack):
    """`tables` by name; `key` is what the buckets are encrypted with."""

    def __init__(self, scope: Construct, stage: Stage, origins: list[str]) -> None:
        super().__init__(scope, stage, "Data", "tables and buckets")
        self._origins = origins
        self.tables = {table.name: self._table(table) for table in TABLES}
        self.key = self._key(Key("buckets", "Objects of the market"))
        self.keys = {key.name: self._key(key) for key in KEYS}
        for made in self.keys.values():
            made.add_to_resource_policy(self._for_the_keeper_alone())
        self._log = self._access_log()
        self.buckets = {bucket.name: self._bucket(bucket) for bucket in BUCKETS}
        self.export("BucketsKeyArn", self.key.key_arn)
        for name, key in self.keys.items():
            self.export(key_export(name), key.key_arn)
        for table in TABLES:
            if table.stream:
                self.export(stream_export(table.name), self.tables[table.name].table_stream_arn or "")

    def _key(self, key: Key) -> kms.Key:
        return kms.Key(
            self,
            f"key-{key.name}",
            alias=settings.key_alias(key.name),
            description=f"Headroom {self.stage_of_market.name}: {key.description}",
            enable_key_rotation=True,
            removal_policy=self.removal,
        )

    def _for_the_keeper_alone(self) -> iam.PolicyStatement:
        """Whatever another role's policy or a grant says: a key's own "no" goes before every "yes"."""
        return iam.PolicyStatement(
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={
                "ArnNotEquals": {"aws:PrincipalArn": self.role_arn(KEEPER)},
                "Null": {"aws:PrincipalArn": "false"},  # AWS names it in every call; the embedded AWS in none
            },
        )

    def _table(self, table: Table) -> dynamodb.Table:
        made = dynamodb.Table(
            self,
            f"table-{table.name}",
            table_name=settings.table_name(table.name),
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=self.removal,
            time_to_live_attribute=table.expires,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if table.stream else None,
        )
        for index in table.indexes:
            _add_index(made, index)
        cfn = made.node.default_child
        assert isinstance(cfn, dynamodb.CfnTable)
        cfn.add_property_override("DeletionProtectionEnabled", self.guarded(True, False))
        return made

    def _access_log(self) -> s3.Bucket:
        """Who came to the buckets; S3 writes it, and only under a key of its own."""
        log = s3.Bucket(
            self,
            "access-log",
            bucket_name=bucket_name("access-log"),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=self.removal,
            lifecycle_rules=[expiring(self.stage_of_market.log_days)],
        )
        accept(log, {"AwsSolutions-S1": "It is itself the access log of the others."})
        return log

    def _bucket(self, bucket: Bucket) -> s3.Bucket:
        made = s3.Bucket(
            self,
            f"bucket-{bucket.name}",
            bucket_name=bucket_name(bucket.name),
            versioned=bucket.versioned or bucket.locked,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self._log,
            server_access_logs_prefix=f"{bucket.name}/",
            # Locked objects outlive any stack: a bucket that holds them cannot be removed with it.
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if bucket.locked else self.removal,
            cors=None if bucket.locked else [_cors(self._origins)],
            lifecycle_rules=_lifecycle(bucket),
            **self._lock(bucket),
        )
        Tags.of(made).add("headroom-bucket", bucket.name)
        if bucket.notifies:
            self._tell_inbox(made)
        return made

    def _lock(self, bucket: Bucket) -> dict[str, object]:
        if not bucket.locked:
            return {}
        kept = Duration.days(self.stage_of_market.audit_lock_days)
        retention = (
            s3.ObjectLockRetention.compliance if self.stage_of_market.keep else s3.ObjectLockRetention.governance
        )
        return {"object_lock_enabled": True, "object_lock_default_retention": retention(kept)}

    def _tell_inbox(self, bucket: s3.Bucket) -> None:
        """What lands under `inbox/` goes to the function that takes it in; CDK's own way would need a Lambda more."""
        cfn = bucket.node.default_child
        assert isinstance(cfn, s3.CfnBucket)
        rule = s3.CfnBucket.FilterRuleProperty(name="prefix", value="inbox/")
        only_inbox = s3.CfnBucket.NotificationFilterProperty(s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[rule]))
        cfn.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*", queue=self.queue_arn(function.name), filter=only_inbox
                )
                for function in FUNCTIONS
                if isinstance(function.trigger, Inbox)
            ]
        )


def key_export(name: str) -> str:
    """Under which name the ARN of a key of the schema is told."""
    return f"Key{name.title()}Arn"


def stream_export(table: str) -> str:
    """Under which name the ARN of a table's stream is told."""
    return f"{table.title()}StreamArn"


def _add_index(table: dynamodb.Table, index: Index) -> None:
    table.add_global_secondary_index(
        index_name=index.name,
        partition_key=_string(index.pk),
        sort_key=_string(index.sk) if index.sk else None,
        projection_type=dynamodb.ProjectionType(index.projection),
    )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _cors(origins: list[str]) -> s3.CorsRule:
    return s3.CorsRule(
        allowed_methods=_METHODS, allowed_origins=origins, allowed_headers=["*"], exposed_headers=["ETag"], max_age=600
    )


def _lifecycle(bucket: Bucket) -> list[s3.LifecycleRule]:
    broken_off = s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))
    if bucket.locked:
        return [broken_off]
    old = s3.LifecycleRule(noncurrent_version_expiration=Duration.days(_OLD_VERSIONS_DAYS))
    ending = [expiring(bucket.expires_days)] if bucket.expires_days else []
    return [broken_off, old, *ending]
