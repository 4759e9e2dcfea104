"""The one address of the platform: CloudFront before the dashboard's bucket and, under `/api/`, the HTTP API."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.config import EnvironmentConfig
from stacks.constructs.firewall import Firewall
from stacks.constructs.platform_bucket import PlatformBucket

API_PREFIX = "/api"
# The firewall that is ours to make; anything else is the ARN of somebody's.
MANAGED = "managed"
# A path of the dashboard has no ending; what has one of these is a file. Custom error responses would do the same, and
# turn the API's 403 and 404 into the dashboard too.
ROUTING = """
var FILE = /\\.(css|html|ico|js|json|map|png|svg|txt|webmanifest|webp|woff2)$/;
function handler(event) {
  var request = event.request;
  if (!FILE.test(request.uri)) request.uri = '/index.html';
  return request;
}
"""
# The API's own paths have no prefix.
STRIP_PREFIX = f"""
function handler(event) {{
  var request = event.request;
  request.uri = request.uri.slice({len(API_PREFIX)}) || '/';
  return request;
}}
"""
# What Emotion, the styling engine of MUI, needs in a production build: it makes empty <style> elements and fills them
# through the CSS object model, so the hash of the empty string stands in for 'unsafe-inline'.
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


class FrontDoor(Construct):
    """`url` is the origin that people see; the dashboard and the API share it, so no request is a cross-origin one."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        api: apigateway.HttpApi,
        data_bucket: s3.IBucket,
        sign_in_url: str,
    ) -> None:
        """The dashboard also talks to `sign_in_url`, and sends files in parts straight to `data_bucket`."""
        super().__init__(scope, id)
        self.bucket = PlatformBucket(self, "Site", config=config)
        acknowledge(
            self.bucket,
            "The dashboard's files are public; CloudFront, which reads them, would need a way into the key.",
            "NIST.800.53.R5-S3DefaultEncryptionKMS",
        )
        headers = self._headers([sign_in_url, *_addresses(data_bucket)])
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Millrace {config.name}",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            # North America and Europe: the cheapest class; elsewhere people are served from there.
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            default_behavior=self._site(headers),
            additional_behaviors={f"{API_PREFIX}/*": self._api(api, headers)},
            web_acl_id=self._firewall(config),
        )
        acknowledge(self.distribution, "A platform is used from wherever its people are.", "CFR1")
        if not config.firewall:
            acknowledge(
                self.distribution,
                "A web application firewall costs each month whether used or not (`firewall`). Files are public code; "
                "the API verifies every token and limits the rate.",
                "CFR2",
            )
        acknowledge(
            self.distribution, "API Gateway writes an access log; requests for static files say nothing.", "CFR3"
        )
        acknowledge(
            self.distribution,
            "With the certificate of CloudFront's own name, CloudFront sets the oldest TLS version; a name and a "
            "certificate are the account owner's to bring.",
            "CFR4",
        )

    @property
    def url(self) -> str:
        return f"https://{self.distribution.distribution_domain_name}"

    def _firewall(self, config: EnvironmentConfig) -> str | None:
        return Firewall(self, "Firewall", config=config).attr_arn if config.firewall == MANAGED else config.firewall

    def _site(self, headers: cloudfront.ResponseHeadersPolicy) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            # It may read and not list, so S3 answers 403 for a file that is not there.
            origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            # How long follows from what each object says: hashed assets for ever, index.html not at all.
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            compress=True,
            response_headers_policy=headers,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            function_associations=[self._on_request("Routing", ROUTING)],
        )

    def _api(self, api: apigateway.HttpApi, headers: cloudfront.ResponseHeadersPolicy) -> cloudfront.BehaviorOptions:
        stack = cdk.Stack.of(self)
        return cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin(f"{api.api_id}.execute-api.{stack.region}.{stack.url_suffix}"),
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            # Every answer is somebody's own. The entity tag still saves the body: the browser revalidates.
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            # Authorization, If-Match and the rest; API Gateway knows itself by its own host name.
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=headers,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            function_associations=[self._on_request("StripPrefix", STRIP_PREFIX)],
        )

    def _on_request(self, id: str, code: str) -> cloudfront.FunctionAssociation:
        function = cloudfront.Function(
            self,
            id,
            code=cloudfront.FunctionCode.from_inline(code),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            comment=id,
        )
        return cloudfront.FunctionAssociation(function=function, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST)

    def _headers(self, connected: list[str]) -> cloudfront.ResponseHeadersPolicy:
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=content_security_policy(connected), override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.days(365), include_subdomains=True, override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.SAME_ORIGIN, override=True
                ),
            ),
        )


def content_security_policy(connected: list[str]) -> str:
    """What the dashboard may load and whom it may call. Nothing inline, nothing from elsewhere."""
    return "; ".join(
        (
            "default-src 'self'",
            f"style-src 'self' {EMPTY_STYLE}",
            "img-src 'self' data:",
            f"connect-src 'self' {' '.join(connected)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _addresses(bucket: s3.IBucket) -> list[str]:
    """The bucket's two addresses: presigned ones name the region, or in us-east-1 may not."""
    return [f"https://{bucket.bucket_regional_domain_name}", f"https://{bucket.bucket_domain_name}"]
