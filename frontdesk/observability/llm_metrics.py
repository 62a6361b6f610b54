"""Prometheus metrics of the language model: outcomes, calls, tokens, cost, circuit breaker. Labelled by model only."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_STATES = {"closed": 0, "half_open": 1, "open": 2}


class LanguageModelMetrics:
    """Create once in each process, if a language model is configured."""

    def __init__(self, model: str, registry: CollectorRegistry | None = None) -> None:
        """Register with `registry`, by default the global one of prometheus_client."""
        target_registry = REGISTRY if registry is None else registry
        self._model = model
        self._completions = Counter(
            "frontdesk_llm_completions_total",
            "Requested completions: answered, abandoned by the caller, or the reason of the failure",
            ("model", "outcome"),
            registry=target_registry,
        )
        self._calls = Counter(
            "frontdesk_llm_upstream_calls_total",
            "Calls to the language model's server",
            ("model",),
            registry=target_registry,
        )
        self._tokens = Counter(
            "frontdesk_llm_tokens_total",
            "Input and output tokens; estimated from characters if the server does not report them",
            ("model", "kind", "estimated"),
            registry=target_registry,
        )
        self._cost = Counter(
            "frontdesk_llm_cost_total", "Cost at the configured prices", ("model",), registry=target_registry
        )
        self._first_token = Histogram(
            "frontdesk_llm_first_token_seconds",
            "Time from a call to its first text",
            ("model",),
            buckets=_SECONDS,
            registry=target_registry,
        )
        self._state = Gauge(
            "frontdesk_llm_breaker_state",
            "0 closed, 1 half-open, 2 open; the highest of all workers",
            ("model",),
            registry=target_registry,
            multiprocess_mode="livemax",
        )
        self._transitions = Counter(
            "frontdesk_llm_breaker_transitions_total",
            "State changes of the circuit breaker",
            ("model", "to"),
            registry=target_registry,
        )
        self._state.labels(model).set(_STATES["closed"])

    def observe_call(self) -> None:
        self._calls.labels(self._model).inc()

    def observe_completion(self, outcome: str, first_token_s: float | None) -> None:
        """`outcome` is "answered", "abandoned" or the reason of the failure."""
        self._completions.labels(self._model, outcome).inc()
        if first_token_s is not None:
            self._first_token.labels(self._model).observe(first_token_s)

    def observe_tokens(self, input_tokens: int, output_tokens: int, *, estimated: bool, cost: float) -> None:
        """Count tokens and cost, also of a completion that was interrupted: it is billed too."""
        label = str(estimated).lower()
        self._tokens.labels(self._model, "input", label).inc(input_tokens)
        self._tokens.labels(self._model, "output", label).inc(output_tokens)
        self._cost.labels(self._model).inc(cost)

    def observe_breaker(self, state: str) -> None:
        self._state.labels(self._model).set(_STATES[state])
        self._transitions.labels(self._model, state).inc()
