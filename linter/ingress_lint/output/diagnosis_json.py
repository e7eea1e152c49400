"""`explain --symptom --format json`: the symptoms, the rules and the findings that explain them, for programs."""

from __future__ import annotations

from collections.abc import Sequence

from ingress_lint.diagnosis import Diagnosis
from ingress_lint.output.json_format import FORM_VERSION, encode_finding, encode_rule
from ingress_lint.output.sanitize import json_text
from ingress_lint.report import ReportedFinding


def render(diagnosis: Diagnosis, findings: Sequence[ReportedFinding]) -> str:
    """The rules and the findings in order, the likeliest first."""
    return json_text(
        {
            "version": FORM_VERSION,
            "symptoms": [{"name": symptom.name, "meaning": symptom.meaning} for symptom in diagnosis.symptoms],
            "rules": [
                {
                    **encode_rule(suspect.rule),
                    "reasons": [
                        {"why": reason.why, "often": list(reason.often), "sometimes": list(reason.sometimes)}
                        for reason in suspect.reasons
                    ],
                }
                for suspect in diagnosis.suspects
            ],
            "findings": [encode_finding(finding) for finding in findings],
        }
    )
