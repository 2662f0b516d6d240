"""Of several rules that set the same thing, which one counts: the most precise."""

from shared.regions.model import Rule

Precedence = tuple[bool, bool, bool, bool, bool]


def precedence(rule: Rule) -> Precedence:
    """The greater, the more precise: tenants before data before languages before countries.

    Compared from left to right, so a rule for tenants outranks any rule that names none.
    """
    when = rule.when
    return (
        when.tenants is not None,
        when.data is not None,
        when.languages is not None,
        when.countries is not None,
        when.policies is not None,
    )
