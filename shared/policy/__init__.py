"""Residency: which regions may take a session. The same functions decide at node and centre.

The allowed set is computed first, from the policy, the rules and the world alone. It is a frozen
set, and all that comes later (home, overflow, limits of delay) only chooses within it.
"""

from shared.policy.callers import caller_countries, kind_of_data
from shared.policy.clauses import regions_in
from shared.policy.home import ROUNDING, home_region, in_reach
from shared.policy.keeping import Keeping, keeping, reachable_stores
from shared.policy.model import CompiledPolicy, Facts, KeptIn
from shared.policy.policies import Policies, compile_policies

__all__ = [
    "ROUNDING",
    "CompiledPolicy",
    "Facts",
    "Keeping",
    "KeptIn",
    "Policies",
    "caller_countries",
    "compile_policies",
    "home_region",
    "in_reach",
    "keeping",
    "kind_of_data",
    "reachable_stores",
    "regions_in",
]
