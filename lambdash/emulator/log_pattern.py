"""Filter patterns of logs: the terms of CloudWatch Logs, as a predicate on a line.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re
from collections.abc import Callable

from lambdash import limits
from lambdash.errors import CallerError

# an optional sign, then a phrase in double quotes or a word
_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)')
_ESCAPED = re.compile(r"\\(.)")
_HINT = 'write terms: `ERROR`, `"two words"`, `-not_this`, `?one ?or ?the other`'


def parse_pattern(pattern: str) -> Callable[[str], bool]:
    """Whether a line has every plain term, none of those with ``-``, and one of those with ``?``.

    Upper and lower case differ, as on AWS. Raises ``CallerError`` (``log-filter-invalid``, and
    ``log-filter-unsupported`` for the patterns of JSON objects, columns and regular expressions).
    """
    text = pattern.strip()
    if len(text) > limits.LOG_PATTERN_MAX_CHARS:
        message = f"a filter has {limits.LOG_PATTERN_MAX_CHARS:,} characters at most"
        raise CallerError("log-filter-invalid", message)
    if text.startswith(("{", "[")) or re.match(r"[-?]?%", text):
        message = "filters of JSON members, columns and regular expressions are not supported yet"
        raise CallerError("log-filter-unsupported", message, _HINT)
    signs: dict[str, list[str]] = {"": [], "-": [], "?": []}
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise CallerError("log-filter-invalid", f"not a filter: {text[at:]}", _HINT)
        phrase = found[3] if found[2] is None else _ESCAPED.sub(r"\1", found[2])
        signs[found[1]].append(phrase)
        at = found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip())
    needed, unwanted, some = signs[""], signs["-"], signs["?"]

    def keeps(line: str) -> bool:
        return (
            all(term in line for term in needed)
            and not any(term in line for term in unwanted)
            and (not some or any(term in line for term in some))
        )

    return keeps
