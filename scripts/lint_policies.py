"""Lints every IAM policy of synthesised templates with parliament: `python -m scripts.lint_policies cdk.out`.

parliament knows AWS's actions, the kinds of resource each of them takes and the condition keys it reads, so it finds an
action that does not exist, or one granted on a resource that it can never apply to. It reads policies with real ARNs:
references in the templates are replaced by ARNs of the kind of what they refer to.
`make scan` runs this in an environment of its own: parliament wants an older setuptools than ours.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Template = Mapping[str, Any]

PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"}
HERE = "us-east-1:123456789012"
ARNS = {
    "AWS::Backup::BackupVault": f"arn:aws:backup:{HERE}:backup-vault:name",
    "AWS::CloudFront::Distribution": "arn:aws:cloudfront::123456789012:distribution/E1",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{HERE}:table/name",
    "AWS::Events::EventBus": f"arn:aws:events:{HERE}:event-bus/name",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/name",
    "AWS::KMS::Key": f"arn:aws:kms:{HERE}:key/name",
    "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:name",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:name:*",
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:name",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:name",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{HERE}:stateMachine:name",
}
# Where `Ref` answers with an ARN; elsewhere it answers with a name.
REF_IS_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}


# parliament wants every kind of resource that an action can have; we have no express executions.
MEANT = {"[{'action': 'states:DescribeExecution', 'required_format': 'arn:*:states:*:*:express:*:*:*'}]"}


class Policy(NamedTuple):
    where: str
    document: dict[str, Any]


class References:
    """What references of all the templates of one environment stand for, as examples."""

    def __init__(self, templates: Mapping[str, Template]) -> None:
        self._exports = {
            output["Export"]["Name"]: (template, output["Value"])
            for template in templates.values()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def text(self, value: Any, template: Template) -> str:
        """The value with an example for each reference. Raises LookupError for one of a kind that is not known here."""
        if isinstance(value, str):
            return value
        ((function, given),) = value.items()
        if function == "Ref":
            return PSEUDO.get(given) or self._named(given, template)
        if function == "Fn::GetAtt":
            logical_id, attribute = given
            return self._attribute(logical_id, attribute, template)
        if function == "Fn::ImportValue":
            exporting, exported = self._exports[given]
            return self.text(exported, exporting)
        if function == "Fn::Join":
            return str(given[0]).join(self.text(part, template) for part in given[1])
        if function == "Fn::Select":
            index, values = given
            return self._selected(index, values, template)
        if function == "Fn::Sub":
            return self._substituted(given)
        if function == "Fn::FindInMap":
            return PSEUDO["AWS::AccountId"]
        raise LookupError(f"{function} in a policy: say in scripts/lint_policies.py what it stands for")

    def _named(self, logical_id: str, template: Template) -> str:
        if logical_id in template.get("Parameters", {}):
            return "parameter"
        kind = template["Resources"][logical_id]["Type"]
        return ARNS[kind] if kind in REF_IS_ARN else "name"

    def _attribute(self, logical_id: str, attribute: str, template: Template) -> str:
        return ARNS[template["Resources"][logical_id]["Type"]] if attribute.endswith("Arn") else "attribute"

    def _selected(self, index: str | int, of: Any, template: Template) -> str:
        separator, whole = of["Fn::Split"]
        return self.text(whole, template).split(separator)[int(index)]

    def _substituted(self, text: str) -> str:
        for name, example in PSEUDO.items():
            text = text.replace(f"${{{name}}}", example)
        return text


def policies(templates: Mapping[str, Template]) -> Iterator[Policy]:
    """Every policy document of a role, with examples for its references."""
    references = References(templates)
    for stack, template in templates.items():
        for name, resource in template["Resources"].items():
            if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
                document = resource["Properties"]["PolicyDocument"]
                yield Policy(f"{stack}/{name}", _with_examples(document, references, template))
            for inline in resource["Properties"].get("Policies", []) if resource["Type"] == "AWS::IAM::Role" else []:
                yield Policy(f"{stack}/{name}", _with_examples(inline["PolicyDocument"], references, template))


def _with_examples(document: Mapping[str, Any], references: References, template: Template) -> dict[str, Any]:
    statements = []
    for statement in document["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        conditions = {
            operator: {key: _values(values, references, template) for key, values in keys.items()}
            for operator, keys in statement.get("Condition", {}).items()
        }
        resolved = {"Resource": [references.text(resource, template) for resource in resources]}
        statements.append({**statement, **resolved, **({"Condition": conditions} if conditions else {})})
    return {"Version": document["Version"], "Statement": statements}


def _values(values: Any, references: References, template: Template) -> Any:
    return [references.text(value, template) for value in (values if isinstance(values, list) else [values])]


def read(stage: Path) -> dict[str, Template]:
    return {path.name.split(".")[0]: json.loads(path.read_text()) for path in sorted(stage.glob("*.template.json"))}


def findings(policy: Policy) -> list[str]:
    """What parliament says against the policy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from parliament import analyze_policy_string

    return [
        f"{policy.where}: {found.issue}: {found.title or ''} {found.detail}"
        for found in analyze_policy_string(json.dumps(policy.document)).findings
        if str(found.detail) not in MEANT
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Lint every IAM policy of synthesised templates.")
    parser.add_argument("assembly", type=Path)
    stages = sorted(parser.parse_args().assembly.glob("assembly-*"))
    linted = [policy for stage in stages for policy in policies(read(stage))]
    if not linted:
        sys.exit("There is no policy to lint: make synth")
    found = [finding for policy in linted for finding in findings(policy)]
    print("\n".join(found), f"{len(linted)} policies, {len(found)} findings", sep="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
