"""The verdict on a move is the worst of those on its users: services, each in its environments."""

from __future__ import annotations

import pytest

from .conftest import facts

AGAIN = "observe it again, or, if it runs no more, say --retired"


@pytest.fixture
def watched(fleet):
    """A fleet in which one service, which never used anything legacy, was watched without a break."""
    fleet.run("api", 90, 0)
    return fleet


def test_a_service_that_used_it_and_was_not_observed_since_is_a_doubt(watched):
    watched.run("worker", 45, 40, {41: 1, 40: 3})
    assert watched.verdict() == (
        "unproven",
        [
            "worker used it last on 2026-10-12 (version 1.0) and was not observed since: "
            "observe it for 30 days, or, if it runs no more, say --retired worker"
        ],
    )


def test_a_service_that_was_lost_from_sight_meanwhile_is_a_doubt(watched):
    watched.run("worker", 60, 10, {50: 3})
    assert watched.verdict() == (
        "unproven",
        [f"worker used it last on 2026-10-02 (version 1.0) and was not observed after 2026-11-11: {AGAIN} worker"],
    )


def test_a_retired_service_need_not_be_observed_but_its_uses_of_now_count(watched):
    watched.run("worker", 45, 40, {40: 3})
    assert watched.verdict(retired=["worker"])[0] == "may go"
    watched.run("worker", 2, 1, {1: 1})
    assert watched.verdict(retired=["worker"]) == ("in use", ["1 use in worker, last on 2026-11-20"])


def test_a_service_that_was_itself_observed_for_long_enough_is_proven(watched):
    watched.run("worker", 60, 40, {41: 1, 40: 3})
    watched.run("worker", 39, 0)
    assert watched.verdict()[0] == "may go"


def test_a_hole_in_the_observation_of_a_user_puts_its_proof_off(watched):
    watched.run("worker", 60, 30, {41: 1, 40: 3})
    watched.run("worker", 15, 0)
    assert watched.verdict() == (
        "unproven",
        [
            "worker used it last on 2026-10-12 (version 1.0) and was observed for only 26 of 30 days since, "
            "with 14 days unobserved: observe it for 4 more days"
        ],
    )


def test_a_monthly_job_needs_two_runs_without_a_use(watched):
    watched.run("billing", 93, 93, {93: 1})
    watched.run("billing", 62, 62, {62: 1})
    assert watched.verdict() == (
        "unproven",
        [
            "billing used it last on 2026-09-20 (version 1.0) and was not observed since: "
            "observe it for 46 days, or, if it runs no more, say --retired billing"
        ],
    )
    watched.run("billing", 31, 31)
    assert watched.verdict() == (
        "unproven",
        [
            "billing used it last on 2026-09-20 (version 1.0) and was observed for only 31 of 46 days since, "
            "and it has used it 31 days apart: observe it for 15 more days"
        ],
    )
    watched.run("billing", 0, 0, hour=1)
    assert watched.verdict()[0] == "may go"


def test_what_is_seldom_used_needs_a_longer_silence(watched):
    watched.run("worker", 200, 0, {190: 1, 100: 1})
    assert watched.verdict() == (
        "unproven",
        [
            "worker used it last on 2026-08-13 (version 1.0) and was observed for only 100 of 135 days since, "
            "and it has used it 90 days apart: observe it for 35 more days"
        ],
    )


def test_a_use_on_one_day_tells_no_pace_and_takes_twice_as_long(watched):
    watched.run("worker", 90, 0, {59: 3})
    assert watched.verdict()[0] == "may go"
    watched.run("worker", 90, 0, {58: 3}, move="old:Y")
    (answer,) = watched.judge({"old:Y": facts()})
    assert list(answer.reasons) == [
        "worker used it last on 2026-09-24 (version 1.0) and was observed for only 58 of 60 days since, "
        "and it has used it on one day only: observe it for 2 more days"
    ]


def test_a_job_that_used_it_once_must_have_run_three_times_without(watched):
    for ago in (124, 93, 62, 31, 0):
        watched.run("billing", ago, ago, {93: 1} if ago == 93 else None, hour=1)
        assert watched.verdict()[0] == ("may go" if ago in (0, 124) else "unproven")


def test_a_service_that_is_new_or_whose_store_was_replaced_is_a_doubt_about_every_move(watched):
    watched.run("mailer", 9, 0)
    what = "mailer: not observed before 2026-11-12"
    settle = "wait 20 more days, or read the earlier state with --from, or, for what runs no more, say --retired mailer"
    assert watched.verdict() == ("unproven", [f"{what}: {settle}"])
    assert watched.verdict(retired=["mailer"])[0] == "may go"
    watched.run("mailer", 40, 10)
    assert watched.verdict()[0] == "may go"


def test_what_is_new_in_tests_and_ci_is_no_doubt(watched):
    watched.run("pytest", 9, 0, environment="test")
    watched.run("build", 9, 0, environment="ci")
    assert watched.verdict()[0] == "may go"


def test_the_last_version_with_a_use_is_named(watched):
    watched.run("worker", 60, 50, {55: 3}, version="2026.09")
    watched.run("worker", 50, 40, {41: 1}, version="2026.10")
    assert watched.verdict()[1][0].startswith("worker used it last on 2026-10-11 (version 2026.10) and was not observed after")


def test_uses_in_tests_do_not_count_as_uses(watched):
    watched.run("pytest", 1, 0, {0: 400}, environment="test")
    verdict, reasons = watched.verdict()
    assert (verdict, reasons[1]) == ("may go", "400 uses in tests, which go with it")


@pytest.mark.parametrize("environment", ["test", "ci", "staging"])
def test_only_production_proves_that_nobody_uses_it(fleet, environment):
    fleet.run("api", 90, 0, environment=environment)
    assert fleet.verdict() == (
        "unproven",
        [
            f"no process with the drop-in was observed in production, only in {environment}: "
            "run the services with the drop-in and COMPAT_SERVICE or COMPAT_DIR set for 30 days, and read their state with --from"
        ],
    )


def test_a_use_in_production_is_not_disproved_by_silence_in_staging(watched):
    watched.run("worker", 60, 40, {45: 3})
    watched.run("worker", 60, 0, environment="staging")
    assert watched.verdict() == (
        "unproven",
        [f"worker used it last on 2026-10-07 (version 1.0) and was not observed after 2026-10-12: {AGAIN} worker"],
    )


@pytest.mark.parametrize("environment", ["ci", "staging"])
def test_uses_in_ci_and_staging_stand_in_the_way_and_are_disproved_there(watched, environment):
    watched.run("build", 60, 40, {45: 3, 41: 2}, environment=environment)
    assert watched.verdict()[1][0].startswith(f"build ({environment}) used it last on 2026-10-11")
    watched.run("build", 39, 0, environment=environment)
    assert watched.verdict()[0] == "may go"
    watched.run("build", 1, 0, {0: 2}, environment=environment)
    assert watched.verdict() == ("in use", [f"2 uses in build ({environment}), last on 2026-11-21"])


def test_the_verdict_is_that_of_the_worst_user(watched):
    watched.run("done", 60, 40, {46: 1, 45: 3})
    watched.run("done", 40, 0)
    watched.run("lost", 60, 40, {45: 3})
    watched.run("busy", 60, 0, {3: 5})
    (answer,) = watched.judge()
    assert answer.verdict.value == "in use"
    assert [(user.use.user.service, user.verdict.value, user.observed) for user in answer.users] == [
        ("busy", "in use", "2026-11-21"),
        ("done", "may go", "2026-11-21"),
        ("lost", "unproven", "2026-10-12"),
    ]
