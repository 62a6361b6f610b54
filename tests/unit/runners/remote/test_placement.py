from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from frontdesk.config import ModelSettings
from frontdesk.errors import ConfigurationError
from model_store.bundle import Bundle
from runners.remote.placement import MEMBERS, META_LEARNER, SERVICES, check_placement, connect_services, local_services


def test_every_placement_of_the_settings_has_its_services() -> None:
    assert set(SERVICES) == set(get_args(ModelSettings.model_fields["placement"].annotation))
    assert {service for services in SERVICES.values() for service in services} == {*MEMBERS, META_LEARNER}


@pytest.mark.parametrize(
    ("placement", "lacking"), [("dedicated", "distilbert or roberta"), ("distributed", "distilbert")]
)
def test_a_bundle_without_a_services_members_is_refused(tiny_bundle: Bundle, placement: str, lacking: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{placement}', but bundle .* has no {lacking}"):
        check_placement(placement, tiny_bundle.manifest)


def test_one_encoder_is_enough_for_the_service_of_both(tiny_bundle: Bundle) -> None:
    members = (*tiny_bundle.manifest.members, "roberta")
    manifest = dataclasses.replace(tiny_bundle.manifest, members=members)
    check_placement("dedicated", manifest)
    with pytest.raises(ConfigurationError, match="no distilbert"):
        check_placement("distributed", manifest)


def test_every_bundle_can_be_embedded_without_services(tiny_bundle: Bundle) -> None:
    check_placement("embedded", tiny_bundle.manifest)
    remote_services = connect_services("embedded", tiny_bundle.manifest, {}, timeout_s=1, start_timeout_s=1)
    assert (remote_services.members, remote_services.meta_learner) == ((), None)


def test_only_services_of_our_own_master_are_monitored() -> None:
    urls = {"encoders": "file:///tmp/a.sock", "trees": "http://elsewhere:3000", "meta_learner": None}
    assert local_services(urls) == ["encoders"]


def test_a_service_that_bentoml_did_not_start_is_named(tiny_bundle: Bundle) -> None:
    with pytest.raises(ConfigurationError, match=r"no process for the service 'encoders'.*--development"):
        connect_services("dedicated", tiny_bundle.manifest, {"encoders": None}, timeout_s=1, start_timeout_s=1)
