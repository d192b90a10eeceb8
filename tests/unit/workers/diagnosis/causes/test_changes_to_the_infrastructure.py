"""A change to the infrastructure is live in the services that its code names, whatever was deployed."""

from __future__ import annotations

from dataclasses import replace

from detection.types import Deploy
from integrations.text import ours
from tests.unit.workers.diagnosis.scenery import (
    END,
    MINUTE,
    ONSET,
    START,
    K,
    calls,
    commit,
    course,
    deploy,
    line,
    observed,
    sign,
    weight,
)
from workers.diagnosis import weights
from workers.diagnosis.causes.candidates import configured_by
from workers.diagnosis.causes.suspects import check_deploy, find_suspects
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed, Scene

ROLE = """
@@ -4,5 +4,4 @@ data "aws_iam_policy_document" "checkout_worker" {
-    actions = ["s3:GetObject", "s3:PutObject"]
+    actions = ["s3:GetObject"]
     resources = ["arn:aws:s3:::receipts/*"]
"""
REFUSED = "AccessDenied: not authorized to perform s3:PutObject"


def refusing(deployed: Deploy, path: str = "terraform/iam/roles.tf", diff: str = ROLE) -> Observed:
    scene = replace(
        Scene(START, END, ("checkout-worker",), ONSET + 5 * MINUTE),
        deploys=(deployed,),
        commits=(commit(path, diff),),
    )
    return observed(
        signs=[
            sign("checkout-worker", K.AUTHENTICATION, text=REFUSED, source="log"),
            sign("checkout-worker", K.ERRORS),
        ],
        lines=[line("checkout-worker", REFUSED)],
        courses=[course("checkout-worker", "errors_total", 1, 90), course("mailer", "sent_total", 5, 5)],
        edges=[calls("storefront", "checkout-worker")],
        origin="checkout-worker",
        alerted=["checkout-worker"],
        more=scene,
    )


def test_a_role_that_loses_a_permission_is_held_against_the_service_that_it_names() -> None:
    applied = deploy("terraform-iam", "c0ffee12")
    scene = refusing(applied)
    suspects = find_suspects(scene)
    hypothesis = Hypothesis("deploy:1", "deploy", Role.ORIGIN, ours("It did."), 0.5, deploy=applied)
    found, _ = check_deploy(hypothesis, applied, suspects.commits[1], scene)

    assert suspects.may_be_by(applied)
    assert weight(found, "change_place") > 0
    assert weight(found, "change_text") > 0


def test_a_role_of_another_service_is_no_candidate() -> None:
    other = ROLE.replace("checkout_worker", "mailer")

    assert not find_suspects(refusing(deploy("terraform-iam", "c0ffee12"), diff=other)).may_be_by(
        deploy("terraform-iam", "c0ffee12")
    )


def test_code_of_a_service_that_is_watched_is_live_there_and_not_in_what_it_names() -> None:
    scene = refusing(deploy("mailer", "c0ffee12"))

    assert configured_by(commit("terraform/iam/roles.tf", ROLE), "mailer", scene) == frozenset()


def test_application_code_that_names_a_service_configures_none() -> None:
    scene = refusing(deploy("batch-tools", "c0ffee12"))

    assert configured_by(
        commit("tools/report.py", "-a = checkout_worker\n+b = checkout_worker"), "batch-tools", scene
    ) == (frozenset())


def test_a_hunk_that_names_many_services_is_about_none_of_them() -> None:
    names = ["checkout-worker", "mailer", "storefront", "ledger"]
    scene = replace(refusing(deploy("mesh", "c0ffee12")))
    scene = replace(scene, scene=replace(scene.scene, edges=(*scene.scene.edges, calls("ledger", "mailer"))))
    diff = "\n".join(f"+  - host: {name}" for name in names)

    assert configured_by(commit("mesh/rules.yaml", diff), "mesh", scene) == frozenset()


def test_a_deploy_of_a_victim_after_the_origin_left_its_course_gets_no_credit_for_being_near_the_alarm() -> None:
    later = deploy("mailer", "c0ffee12", at=ONSET + 3 * MINUTE)
    signs = [sign("checkout", K.ERRORS), sign("mailer", K.CLIENT_ERRORS, at=ONSET + 2 * MINUTE, source="log")]
    scene = observed(signs=signs)
    hypothesis = Hypothesis("deploy:1", "deploy", Role.ORIGIN, ours("It did."), 0.5, deploy=later)
    found, _ = check_deploy(hypothesis, later, [commit("mailer/a.py", "-    a(1)\n+    a(2)")], scene)

    assert weight(found, "trajectory") == weights.TRAJECTORY_DENIES_AT_MOST
