"""What import-linter cannot say: a domain stands on the standard library and four modules of ours."""

import sys

import pytest

from tests.architecture.sources import Source, part

OURS = ("shared.money", "shared.refusal", "shared.merkle", "shared.canonical", "shared.instants")


@pytest.mark.parametrize("source", part("domain"), ids=lambda source: source.path)
def test_a_domain_imports_only_what_is_as_pure_as_itself(source: Source) -> None:
    own = "services.{}.domain".format(source.path.split("/")[1])
    strangers = [
        f"{source.at(node)} {name}"
        for node, name in source.imports()
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(f"{name}.".startswith(f"{allowed}.") for allowed in (*OURS, own))
    ]
    assert strangers == []
