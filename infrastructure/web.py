"""Owns the console's home: a private bucket behind CloudFront, with the headers a browser is to keep to."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.stacks import MarketStack, accept, bucket_name, expiring
from infrastructure.stage import Stage

_YEAR = Duration.days(365)


class Web(MarketStack):
    """`origin` is where people open the market."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage, "Web", "console")
        # Visitors' addresses end with the stage's other logs; the console itself stays, and its old files for a month.
        visits, old = expiring(stage.log_days), s3.LifecycleRule(noncurrent_version_expiration=Duration.days(30))
        log = self._bucket("web-log", visits, object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED)
        accept(log, {"AwsSolutions-S1": "It is itself the access log of the console."})
        pages = self._bucket("web", old, server_access_logs_bucket=log, server_access_logs_prefix="pages/")
        distribution = self._distribution(pages, log)
        self.origin = f"https://{distribution.distribution_domain_name}"
        self.export("Origin", self.origin)
        self.export("Bucket", pages.bucket_name)
        self.export("Distribution", distribution.distribution_id)

    def _bucket(self, name: str, ending: s3.LifecycleRule, **more: object) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            bucket_name=bucket_name(name),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            removal_policy=self.removal,
            lifecycle_rules=[ending],
            **more,  # type: ignore[arg-type]
        )

    def _distribution(self, pages: s3.Bucket, log: s3.Bucket) -> cloudfront.Distribution:
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Headroom {self.stage_of_market.name}",
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(pages),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                response_headers_policy=self._headers(),
                compress=True,
            ),
            # The console finds its own way: whatever is not a file is the console at another of its pages.
            error_responses=[_index_for(403), _index_for(404)],
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            enable_logging=True,
            log_bucket=log,
            log_file_prefix="visits/",
        )
        accept(
            distribution,
            {
                "AwsSolutions-CFR1": "The market is open to whoever can sign in, wherever they are.",
                "AwsSolutions-CFR2": "Only files that anybody may read are here; the firewall is before the API.",
                "AwsSolutions-CFR4": "CloudFront's own certificate allows no other setting.",
            },
        )
        return distribution

    def _headers(self) -> cloudfront.ResponseHeadersPolicy:
        region = self.stage_of_market.region
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "manifest-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'; "
            f"connect-src 'self' https://*.execute-api.{region}.amazonaws.com https://s3.{region}.amazonaws.com"
        )
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=f"headroom-{self.stage_of_market.name}-{Aws.REGION}",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=policy, override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=_YEAR, include_subdomains=True, override=True
                ),
            ),
        )


def _index_for(status: int) -> cloudfront.ErrorResponse:
    return cloudfront.ErrorResponse(
        http_status=status, response_http_status=200, response_page_path="/index.html", ttl=Duration.minutes(1)
    )
