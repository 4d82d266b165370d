"""Settings to sinks: the destinations that alerts are sent to."""

import os
from collections.abc import Sequence

from alerts.sinks import Sink
from alerts.sinks.webhook import Webhook
from store.errors import SettingsError
from store.records import Severity
from toolhound import settings


def sinks(configured: Sequence[settings.Webhook], address: str | None) -> list[Sink]:
    """A sink for each webhook. Raises SettingsError where a secret cannot be found or an address is not allowed."""
    return [
        Webhook(
            one.name, one.url, _secret(one).split(), events=one.events, min_severity=Severity[one.minimum_severity.upper()],
            network=one.network, pages=address,
        )
        for one in configured
    ]


def _secret(one: settings.Webhook) -> str:
    if one.secret_file is not None:
        try:
            return one.secret_file.read_text().strip()
        except OSError as error:
            raise SettingsError(f"webhooks.{one.name}.secret_file: {one.secret_file} cannot be read: {error.strerror}") from error
    if one.secret_variable is not None:
        found = os.environ.get(one.secret_variable)
        if found:
            return found
        raise SettingsError(f"webhooks.{one.name}.secret_variable: the environment has no {one.secret_variable}")
    raise SettingsError(f"webhooks.{one.name}: give secret_file or secret_variable, with a whsec_... secret in it")
