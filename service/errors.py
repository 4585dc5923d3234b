"""Refusals that come from the service rather than from a plan's rules."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.errors import PlanHistoryError


class StoreUnavailableError(PlanHistoryError):
    """The database did not answer in time; nothing was lost, try again."""

    code = "store-unavailable"
    title = "The record cannot be reached just now"


class KeyMissingError(PlanHistoryError, LookupError):
    """What is kept is sealed with a key that the key store does not have, nor says was destroyed."""

    code = "key-missing"
    title = "The key of this plan is missing"


class PlanChangedError(PlanHistoryError):
    """Somebody else recorded something in the meantime."""

    code = "plan-changed"
    title = "The plan has changed in the meantime"


class PreconditionRequiredError(PlanHistoryError):
    """The clinic demands that a writer says which version they saw."""

    code = "precondition-required"
    title = "Say which version you saw"


class KeyReusedError(PlanHistoryError):
    """The idempotency key belongs to another request."""

    code = "idempotency-key-reused"
    title = "That Idempotency-Key belongs to another request"


class UnknownClinicError(PlanHistoryError):
    """There is no such clinic."""

    code = "unknown-clinic"
    title = "No such clinic"


class NotARehearsalError(PlanHistoryError):
    """Only a rehearsal clinic may be told when an entry was recorded."""

    code = "not-a-rehearsal"
    title = "Only a rehearsal clinic can be told its times"


class NotYetVisibleError(PlanHistoryError):
    """A read model has not taken in everything that it is asked to show."""

    code = "not-yet-visible"
    title = "The list does not show that yet"


class KeptUnsealedError(PlanHistoryError):
    """What was recorded before plans were kept under keys cannot be erased by destroying one."""

    code = "kept-unsealed"
    title = "That was recorded without keys"


class RetentionError(PlanHistoryError):
    """The clinic's own policy says that these records are kept longer."""

    code = "retention"
    title = "These records are to be kept"


class NotSignedInError(PlanHistoryError):
    """The request carries no token, or one that is not (or no longer) good."""

    code = "not-signed-in"
    title = "Sign in first"


class NoMemberError(NotSignedInError):
    """Whoever it is, they do not belong to the clinic, or no longer."""

    def __init__(self, detail: str, who: Any) -> None:
        super().__init__(detail)
        self.who = who
        """The principal they would be, for the access log."""


class SignInFailedError(NotSignedInError):
    """Signing in through the clinic's issuer did not work out; a page says what to do now."""

    suspicious: ClassVar[bool] = False
    """Whether somebody may have tried to get in who should not."""
    hint: ClassVar[str] = ""
    """What to do, where the detail does not say it."""


class SignInLapsedError(SignInFailedError):
    """The way in was used before, is too old, or was begun in another browser."""

    title = "That way in is closed by now"


class SignInDeclinedError(SignInFailedError):
    """The issuer says that they did not sign in there."""

    title = "You did not sign in"


class SignInRefusedError(SignInFailedError):
    """What came back from the issuer does not hold."""

    title = "Your sign-in could not be checked"
    suspicious = True
    hint = "Begin again. If it happens once more, tell your administrator the sentence above."


class NotAMemberError(SignInFailedError):
    """The issuer knows them, the clinic's log does not (or no longer)."""

    title = "The clinic does not know you as a member"
    suspicious = True
    hint = "Ask the clinic's administrator to add you, and show them the sentence above."


class NotAllowedError(PlanHistoryError):
    """The caller's role does not include this."""

    code = "not-allowed"
    title = "Your role does not include this"


class IssuerUnavailableError(PlanHistoryError):
    """The keys of a token's issuer could not be had, so nobody can say whether the token is good."""

    code = "issuer-unavailable"
    title = "The issuer of your token is out of reach"


class SignInUnavailableError(IssuerUnavailableError):
    """The clinic's sign-in does not answer."""

    title = "Your clinic's sign-in is out of reach"


class QuotaExceededError(PlanHistoryError):
    """The caller, or their address, asks more often than is taken; later is as good."""

    code = "quota-exceeded"
    title = "Slow down a little"


class TooManyReadersError(PlanHistoryError):
    """As many readers of the feed wait in this process as may wait."""

    code = "too-many-readers"
    title = "Too many readers wait just now"


class UnknownPlaceError(PlanHistoryError):
    """There is no such place in the feed."""

    code = "unknown-place"
    title = "The feed has no such place"


class WebhookNotFoundError(PlanHistoryError):
    """There is no such webhook here."""

    code = "webhook-not-found"
    title = "No such webhook"


class TargetRefusedError(PlanHistoryError):
    """Nothing is sent to such an address."""

    code = "target-refused"
    title = "That address is not one to send to"


class NotSealedYetError(PlanHistoryError):
    """It is younger than the last seal; in a second it will be sealed, too."""

    code = "not-sealed-yet"
    title = "That is not sealed yet"


class TileNotFoundError(PlanHistoryError):
    """The tree has no such tile."""

    code = "tile-not-found"
    title = "No such tile"


class BeyondTreeError(PlanHistoryError):
    """The tree does not reach so far."""

    code = "beyond-the-tree"
    title = "The tree does not reach so far"
