"""What an error of the Graph API means for us, by its code and subcode, never by its text."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from workers.core.errors import ConnextError, RateLimited, Reauthorize, Rejected, Transient

if TYPE_CHECKING:
    from workers.providers.meta.models import GraphError

RATE_CODES: Final = frozenset({4, 17, 32, 613, *range(80000, 80015)})
APP_LIMIT: Final = 4  # of all our calls together; the others are of a page or a person
TOKEN_CODES: Final = frozenset({102, 190})
PASSING_CODES: Final = frozenset({1, 2, 99})
PERMISSION_CODES: Final = range(200, 300)
DEFAULT_PAUSE: Final = timedelta(minutes=5)

# Our name of a refusal, as stored in messages.error_code, and what to tell a person.
EXPLANATIONS: Final = {
    "window_closed": "More than 24 hours have passed since the person last wrote.",
    "not_allowed": "Meta does not allow this page to do that.",
    "recipient_unavailable": "The person cannot receive messages from this page.",
    "recipient_unknown": "Meta does not know this person for this page.",
    "thread_owned_elsewhere": "Another app holds this conversation.",
    "page_restricted": "Meta has restricted this page for a while.",
    "app_not_approved": "Meta has not approved the app for this.",
    "attachment_refused": "Meta could not take the attachment.",
    "file_missing": "The file is not in Storage any more; upload it again.",
    "type_refused": "Files of this type are not sent.",
    "invalid_request": "Meta found the request invalid.",
    "profile_unavailable": "Meta does not show this person's profile.",
    "message_deleted": "The message no longer exists at Meta.",
    "policy_block": "Meta has blocked this action for policy reasons.",
    "abuse_warning": "Meta has warned this page about abuse; sending stops.",
    "code_refused": "Meta no longer takes the sign-in code.",
    "refused": "Meta refused.",
}

_EXACT: Final = {
    (10, 2018278): "window_closed",
    (10, 2534022): "window_closed",
    (10, 2018065): "not_allowed",
    (10, 2018108): "recipient_unavailable",
    (10, 1893063): "page_restricted",
    (200, 1545041): "recipient_unavailable",
    (200, 2018028): "app_not_approved",
    (613, 2018338): "abuse_warning",
    (100, 33): "recipient_unknown",
    (100, 2018001): "recipient_unknown",
    (100, 36007): "code_refused",
    (100, 36008): "code_refused",
    (100, 36009): "code_refused",
}

# Numbers that say the same wherever they stand, as code or as subcode.
_ANYWHERE: Final = {
    551: "recipient_unavailable",
    1545041: "recipient_unavailable",
    2018300: "thread_owned_elsewhere",
    2018008: "attachment_refused",
    2018047: "attachment_refused",
    2018109: "attachment_refused",
    2018294: "attachment_refused",
    2018218: "profile_unavailable",
    2018247: "profile_unavailable",
    9000001: "message_deleted",
    368: "policy_block",
}

_BY_CODE: Final = {10: "not_allowed", 100: "invalid_request"}


class Declined(Rejected):
    """Meta refused for good; *code* is one of EXPLANATIONS and may be shown and stored."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def explanation(self) -> str:
        """Say it to a person."""
        return EXPLANATIONS[self.code]


class Hiccup(Transient):
    """Meta says that it failed and that the call had no effect; the same may work later."""


def meaning(error: GraphError, *, action: str, pause: timedelta | None) -> ConnextError:
    """Turn Meta's *error* to our *action* into ours. *pause* is what the headers asked for."""
    name = f"{error.code}/{error.error_subcode}" if error.error_subcode else str(error.code)
    message = f"Meta refused to {action} (error {name})"
    known = _known(error)
    if known is not None:
        return Declined(message, code=known)
    if error.code in TOKEN_CODES:
        return Reauthorize(f"{message}; the page must be connected again")
    if error.code in RATE_CODES:
        of_app = error.code == APP_LIMIT
        return RateLimited(message, retry_after=pause or DEFAULT_PAUSE, of_app=of_app)
    if error.code in PASSING_CODES or error.is_transient:
        return Hiccup(message)
    if error.code in PERMISSION_CODES and error.error_subcode is None:
        return Reauthorize(f"{message}; a permission is missing, connect again and grant it")
    return Declined(message, code=_BY_CODE.get(error.code, "refused"))


def _known(error: GraphError) -> str | None:
    subcode = error.error_subcode or 0
    return _EXACT.get((error.code, subcode)) or _ANYWHERE.get(subcode) or _ANYWHERE.get(error.code)
