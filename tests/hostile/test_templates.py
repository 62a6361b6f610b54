"""Template injection: templates of replies and prompts never interpret a customer's text."""

from __future__ import annotations

import pytest

from tests.support.reply_writing import POLICY, PROMPT, TEMPLATES, request
from tests.support.serving import Server

SUM = "9001*10005-3"
INJECTIONS = [
    f"{{{{{SUM}}}}}",
    f"{{%raw%}}{{%endraw%}}{{{{{SUM}}}}}",
    f"${{{SUM}}}",
    f"#{{{SUM}}}",
    f"<%= {SUM} %>",
    f"{{{SUM}}}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{0.__class__.__init__.__globals__}",
    "%(text)s %s %d",
    "{% include '/etc/passwd' %}",
    "$(id) `id` ${jndi:ldap://x} ${env:HOME}",
]
TRACES = (str(9001 * 10005 - 3), "<class '", "uid=", "root:x:", "jinja2", "__builtins__")


def traces_in(text: str) -> list[str]:
    return [trace for trace in TRACES if trace in text]


@pytest.mark.parametrize("injected", INJECTIONS)
def test_a_prompt_repeats_it_as_it_was_written_and_only_where_it_belongs(injected: str) -> None:
    plan = TEMPLATES.plan(request(f"Cancel my order {injected}"))
    rendered = PROMPT.render(plan, POLICY, (injected,))
    system, user_text = (message.content for message in rendered.messages)

    assert plan.passages
    assert injected in user_text
    assert injected not in system
    assert traces_in(system + user_text) == []


def test_no_answer_holds_what_a_template_would_have_made_of_it(server: Server) -> None:
    with server.client() as client:
        for injected in INJECTIONS:
            fields = {"customer_id": injected[:50], "session_id": injected[:100]}
            body = {"text": f"I want to cancel my order {injected}", "store": False, **fields}
            for path in ("/v1/understand", "/v1/queries"):
                response = client.post(path, json=body)
                assert response.status_code == 200, response.text
                assert traces_in(response.text) == []
    assert traces_in(server.log()) == []
