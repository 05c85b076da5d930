"""The privacy page as claims: what it says, what proves it, and where it has to be reworded."""

from workers.services.policy.claims import (
    Claim,
    Claims,
    ClaimsWrong,
    Finding,
    Section,
    load_claims,
)

__all__ = ["Claim", "Claims", "ClaimsWrong", "Finding", "Section", "load_claims"]
