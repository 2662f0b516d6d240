"""How many files the process may have open."""

import resource


def raise_open_files() -> int:
    """Raises the soft limit to the hard one, and returns it: connections are files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 1 << 20)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # some systems cap it below the hard limit
        return soft
    return wanted
