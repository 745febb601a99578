"""Judges CloudFormation templates with AWS's own linter and prints them as JSON, short forms such as `!Ref` written out.

Arguments: template files. Standard output: {"findings": ["file:line: rule: message"], "templates": {file name: template}}.
The linter's schemas differ by region, so one region of each partition is asked.
"""

import json
import os
import sys

from cfnlint.config import ManualArgs
from cfnlint.api import lint
from cfnlint.decode import decode

REGIONS = ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-northwest-1"]


def main():
    findings, templates = [], {}
    for path in sys.argv[1:]:
        name = os.path.basename(path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for match in lint(text, config=ManualArgs(regions=REGIONS, include_checks=["I"])):
            findings.append(f"{name}:{match.linenumber}: {match.rule.id}: {match.message}")
        template, broken = decode(path)
        if not broken:
            templates[name] = template
    json.dump({"findings": findings, "templates": templates}, sys.stdout)


if __name__ == "__main__":
    main()
