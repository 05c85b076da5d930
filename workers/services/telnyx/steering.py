"""Place calls and steer them: each command has an id with which Telnyx does it once in a minute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

import structlog

from workers.core.errors import Ambiguous, Permanent, Reauthorize, Transient
from workers.providers.telnyx.errors import Declined
from workers.providers.telnyx.webhook import as_client_state
from workers.services.acting import org_of
from workers.services.telnyx import accounts, lines, ringing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.telnyx.client import TelnyxClient
    from workers.services.telnyx.lines import Action, Line

REPEATABLE: Final = timedelta(seconds=55)  # Telnyx ignores the same command for 60
RING_SECONDS: Final = 45
LONGEST_SECONDS: Final = 4 * 3600
SIP: Final = "sip.telnyx.com"
OVER: Final = frozenset({"ended", "missed", "failed"})
NO_BROWSER: Final = (
    "no_browser",
    "Open the phone in Connext first, so that the call has somewhere to go.",
)
UNCONFIRMED: Final = ("unconfirmed", "It is not known whether this was done. Look at the call.")
MUSIC: Final = "hold_music_url"
MACHINE_SECONDS: Final = 120

log = structlog.get_logger(__name__)


class Steering:
    """Carries out what people want done with calls."""

    def __init__(self, *, client: TelnyxClient, opener: Opener, clock: Clock) -> None:
        self._client = client
        self._opener = opener
        self._clock = clock

    async def dial(self, job: Job, context: Context, *, call_id: UUID) -> None:
        """Place the call; in doubt for more than a minute it is not placed again."""
        now = self._clock.now()
        async with context.acting(job) as connection:
            line = await lines.lock(connection, org=org_of(job), call=call_id)
            if line is None or line.state not in ("queued", "dialing"):
                log.info("call was settled", job=job.id)
                return
            stale = line.state == "dialing" and (
                line.tried_at is None or now - line.tried_at >= REPEATABLE
            )
            if stale:
                await lines.mark_uncertain(connection, line)
            elif line.browser is None or line.channel_status != "active":
                cause = NO_BROWSER[0] if line.browser is None else "disconnected"
                await lines.mark_not_placed(connection, line, cause=cause, at=now)
                return
            else:
                key = await accounts.api_key(
                    connection, self._opener, line.owner, note=context.noting(job)
                )
                await lines.mark_dialing(connection, line, now)
        if stale:
            raise Ambiguous(f"call {call_id}: an earlier attempt ended without a result")
        await self._place(job, context, line, key)

    async def _place(self, job: Job, context: Context, line: Line, key: SecretStr) -> None:
        body = {
            "connection_id": line.voice_app_id,
            "to": line.to_number,
            "from": line.number,
            "client_state": as_client_state(line.id),
            "command_id": str(line.id),
            "timeout_secs": RING_SECONDS,
            "time_limit_secs": LONGEST_SECONDS,
        }
        try:
            placed = await self._client.dial(key, body)
        except Reauthorize as error:
            await accounts.lost(job, context, self._opener, owner=line.owner, error=error)
            await self._not_placed(job, context, line, "reauthorization_required")
        except Transient:
            if job.attempt < job.max_attempts:
                raise
            async with context.acting(job) as connection:
                await lines.mark_uncertain(connection, line)
            raise
        except Permanent as error:
            cause = error.code if isinstance(error, Declined) else "refused"
            await self._not_placed(job, context, line, cause)
        else:
            async with context.transaction(job) as connection:
                await lines.mark_placed(
                    connection, line, leg=placed.call_leg_id, session=placed.call_session_id,
                    control=placed.call_control_id,
                )  # fmt: skip

    async def _not_placed(self, job: Job, context: Context, line: Line, cause: str) -> None:
        async with context.transaction(job) as connection:
            await lines.mark_not_placed(connection, line, cause=cause, at=self._clock.now())
        log.info("call not placed", job=job.id, reason=cause)

    async def act(self, job: Job, context: Context, *, action_id: UUID) -> None:
        """Do what somebody asked to be done with a call, or say why it was not."""
        now, org = self._clock.now(), org_of(job)
        async with context.acting(job) as connection:
            action = await lines.find_action(connection, org=org, action=action_id)
            if action is None or action.state not in ("queued", "sending"):
                return
            line = await lines.lock(connection, org=org, call=action.call_id)
            music = await accounts.setting(connection, MUSIC)
            problem = _problem(line, action, late=bool(
                action.tried_at and now - action.tried_at >= REPEATABLE
            ))  # fmt: skip
            if line is None or problem is not None:
                code, detail = problem or UNCONFIRMED
                await lines.mark_action(
                    connection, org=org, action=action.id, state="failed", code=code, detail=detail
                )
                return
            key = await accounts.api_key(
                connection, self._opener, line.owner, note=context.noting(job)
            )
            await lines.mark_action(connection, org=org, action=action.id, state="sending", at=now)
        verb, body = _command(line, action, music)
        await self._carry_out(job, context, line, action, key, verb, body)

    async def _carry_out(  # noqa: PLR0913, PLR0917 - a command and what it is about
        self,
        job: Job,
        context: Context,
        line: Line,
        action: Action,
        key: SecretStr,
        verb: str,
        body: Mapping[str, object],
    ) -> None:
        state, code, detail = "done", None, None
        try:
            await self._client.act(
                key, line.control or "", verb, {**body, "command_id": str(action.id)}
            )
        except Reauthorize as error:
            await accounts.lost(job, context, self._opener, owner=line.owner, error=error)
            state, code, detail = "failed", "reauthorization_required", accounts.KEY_REFUSED
        except Transient:
            if job.attempt < job.max_attempts:
                raise
            state, (code, detail) = "failed", UNCONFIRMED
        except Permanent as error:
            state, code, detail = "failed", "refused", "Telnyx refused this."
            if isinstance(error, Declined):
                code, detail = error.code, error.explanation
        async with context.transaction(job) as connection:
            await lines.mark_action(
                connection, org=line.org_id, action=action.id, state=state, code=code, detail=detail
            )
            if state == "done" and action.action in ("hold", "resume"):
                await connection.execute(
                    "update public.calls set held_at = %s where org_id = %s and id = %s",
                    (self._clock.now() if action.action == "hold" else None, line.org_id, line.id),
                )

    async def follow(self, job: Job, context: Context, *, call_id: UUID, step: str) -> None:
        """Take the next step of a call that was answered, or that nobody answers."""
        now = self._clock.now()
        async with context.acting(job) as connection:
            line = await lines.lock(connection, org=org_of(job), call=call_id)
            if line is None or line.state in OVER or line.control is None:
                return
            rules = await ringing.rules(connection)
            if step == "voicemail":
                if line.state != "ringing" or not rules.voicemail:
                    return
                await connection.execute(
                    "update public.calls set voicemail_at = %s where org_id = %s and id = %s",
                    (now, line.org_id, line.id),
                )
            if step == "bring" and line.browser is None:
                return
            if step in ("announce", "record") and not rules.recording:
                return
            key = await accounts.api_key(
                connection, self._opener, line.owner, note=context.noting(job)
            )
        verb, body = _step(line, step, rules.notice or "")
        # The same step of the same call is the same command, whoever asks for it again.
        command = {**body, "command_id": str(uuid5(line.id, step))}
        try:
            await self._client.act(key, line.control, verb, command)
        except Declined as error:
            log.info("step not taken", job=job.id, step=step, reason=error.code)
        except Reauthorize as error:
            await accounts.lost(job, context, self._opener, owner=line.owner, error=error)
            raise


def _problem(line: Line | None, action: Action, *, late: bool) -> tuple[str, str] | None:
    """Say why an action cannot be done, if so."""
    if line is None or line.control is None or line.state in OVER:
        return "call_over", "The call had ended already."
    if late:
        return UNCONFIRMED
    if action.action == "answer" and line.browser is None:
        return NO_BROWSER
    if action.action == "transfer" and action.target is None:
        return "no_browser", "This member has no phone open in Connext."
    return None


def _command(line: Line, action: Action, music: str | None) -> tuple[str, dict[str, object]]:
    """Write the command of an action."""
    match action.action:
        case "answer":
            return "answer", {"client_state": as_client_state(line.id)}
        case "transfer":
            target = action.target or ""
            return "transfer", {"to": _address(target), "from": line.number}
        case "hold" if music is not None:
            return "playback_start", {"audio_url": music, "loop": "infinity"}
        case "hold":
            words = "Please hold the line. Veuillez patienter."
            return "speak", {"payload": words, "voice": "female", "language": line.language}
        case "resume":
            return "playback_stop", {}
        case _:
            return "hangup", {}


def _address(target: str) -> str:
    return target if target.startswith("+") else f"sip:{target}@{SIP}"


def _step(line: Line, step: str, notice: str) -> tuple[str, dict[str, object]]:
    """Write the command of a step."""
    match step:
        case "announce":
            return "speak", {"payload": notice, "voice": "female", "language": line.language}
        case "record":
            body: dict[str, object] = {"format": "mp3", "channels": "single", "play_beep": True}
            if line.voicemail_at is not None:
                body["max_length"] = MACHINE_SECONDS
            return "record_start", body
        case "voicemail":
            return "answer", {"client_state": as_client_state(line.id)}
        case _:
            return "transfer", {"to": _address(line.browser or ""), "from": line.number}
