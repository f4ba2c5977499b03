"""Logging through the standard library, with the request in hand on every record and no secrets in the text."""

from __future__ import annotations

import functools
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Optional, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])

_HIDDEN = "***REDACTED***"
_CONTEXT: ContextVar[dict[str, Any]] = ContextVar("compat_logging_context")
_FIELDS = ("request_id", "user_id", "trace_id", "event_type")


class SensitiveDataFilter:
    """Takes secrets out of what is logged."""

    SENSITIVE_FIELDS = frozenset(
        [
            "password",
            "passwd",
            "secret",
            "token",
            "access_token",
            "refresh_token",
            "api_key",
            "apikey",
            "authorization",
            "credential",
            "credentials",
            "private_key",
            "jwt",
            "jwt_secret_key",
            "session_token",
            "client_secret",
        ]
    )
    # Clients choose much of what is logged: each pattern begins where a word begins and looks at it a bounded number of
    # times, so that its time grows with the text and not with its square.
    _PATTERNS = (
        (re.compile(r"(?<![\w-])(?=[\w-]+\.[\w-]+\.)((?:[\w-]*?-)??)eyJ[\w-]+\.[\w-]+\.[\w-]*"), rf"\1{_HIDDEN}"),
        (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]+"), rf"\1 {_HIDDEN}"),
        (
            re.compile(r"(?i)([\"']?(?<![\w-])(?=[\w-]*(?:password|passwd|secret|token|api[_-]?key|credential))[\w-]+[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}]+)"),
            rf"\1{_HIDDEN}",
        ),
        (re.compile(r"(?<!\w)(\w+://[^\s:/@]+):[^\s@]{1,1024}@"), rf"\1:{_HIDDEN}@"),
    )  # fmt: skip

    @classmethod
    def filter_message(cls, message: str) -> str:
        """Return the text with tokens, passwords and keys replaced."""
        text = str(message)
        for pattern, replacement in cls._PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    @classmethod
    def filter_dict(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Return a copy with the values of secret-sounding keys replaced, at every depth."""
        return {key: _HIDDEN if cls._is_sensitive(key) else cls._filtered(value) for key, value in data.items()}

    @classmethod
    def _is_sensitive(cls, key: object) -> bool:
        word = str(key).lower().replace("-", "_")
        return word in cls.SENSITIVE_FIELDS or word.endswith(("_password", "_secret", "_token", "_key", "_api_key"))

    @classmethod
    def _filtered(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return cls.filter_dict(value)
        if isinstance(value, (list, tuple)):
            return type(value)(cls._filtered(item) for item in value) if type(value) in (list, tuple) else value
        return cls.filter_message(value) if isinstance(value, str) else value


class UnifiedLoggingContext:
    """The request in hand: what every record of this task or thread carries."""

    def __init__(self) -> None:
        self._context_lock = threading.Lock()

    def set_context(
        self,
        request_id: Optional[str] = None,
        user_id: Optional[str] = None,
        trace_id: Optional[str] = None,
        event_type: Optional[str] = None,
    ) -> None:
        """Set what is given; the rest stays."""
        given = zip(_FIELDS, (request_id, user_id, trace_id, event_type))
        _CONTEXT.set({**self.get_context(), **{key: value for key, value in given if value is not None}})

    def clear_context(self) -> None:
        """Forget the request in hand."""
        _CONTEXT.set({})

    def get_context(self) -> dict[str, Any]:
        """A copy of what is set."""
        return dict(_CONTEXT.get({}))

    def get_context_safe(self) -> dict[str, Any]:
        """A copy of what is set, with every field, None where it is not set."""
        return {**dict.fromkeys(_FIELDS), **self.get_context()}

    @contextmanager
    def request_context(
        self,
        request_id: str,
        user_id: Optional[str] = None,
        trace_id: Optional[str] = None,
        event_type: Optional[str] = None,
    ) -> Iterator[dict[str, Any]]:
        """Set the request in hand for a block, and what was there before it afterwards."""
        before = _CONTEXT.set(self.get_context())
        try:
            self.set_context(request_id, user_id, trace_id, event_type)
            yield self.get_context()
        finally:
            _CONTEXT.reset(before)


class _Redacting(logging.Filter):
    """Redacts a record's text and gives it the request in hand. It answers for its own logger only, so it goes on loggers."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            return True  # arguments that do not fit the format: the handler reports that, the program goes on
        record.msg = SensitiveDataFilter.filter_message(text)
        record.args = None
        for key, value in _CONTEXT.get({}).items():
            if not hasattr(record, key):
                setattr(record, key, value)
        return True


_REDACTING = _Redacting()


class FieldLogger(logging.Logger):
    """A standard logger whose methods take further keywords as fields of the record: ``logger.info("sent", user_id=...)``."""

    def _log(self, level: int, msg: object, args: Any, *rest: Any, **kwargs: Any) -> None:
        known = {key: kwargs.pop(key) for key in ("exc_info", "extra", "stack_info", "stacklevel") if key in kwargs}
        if kwargs:
            known["extra"] = {**_extra(kwargs), **(known.get("extra") or {})}
        # This frame stands between those that logging skips, and from 3.11 on it counts as the caller's.
        if sys.version_info >= (3, 11) or known.get("stacklevel", 1) > 1:
            known["stacklevel"] = known.get("stacklevel", 1) + 1
        super()._log(level, msg, args, *rest, **known)

    def success(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log at INFO."""
        if self.isEnabledFor(logging.INFO):
            self._log(logging.INFO, msg, args, **kwargs)


class UnifiedLoggingSSOT:
    """The one place that hands out loggers. Its own methods log under the service's name."""

    _instance: Optional[UnifiedLoggingSSOT] = None
    _initialized = False

    def __new__(cls) -> UnifiedLoggingSSOT:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __init__(self) -> None:
        if self._initialized:
            return
        self._context = UnifiedLoggingContext()
        self._filter = SensitiveDataFilter()
        self._config: dict[str, Any] = {}
        self._config_loaded = False
        self._service_name = "compat"
        self._gcp_enabled = False
        self._gcp_initialized = False
        self._gcp_reporter: Optional[Any] = None
        self._initialized = True

    def get_logger(self, name: Optional[str] = None) -> logging.Logger:
        """Return a standard logger that takes fields as keywords; its records are redacted and carry the request in hand."""
        logger = logging.getLogger(name or self._service_name)
        if type(logger) is logging.Logger:
            logger.__class__ = FieldLogger
        if _REDACTING not in logger.filters:
            logger.addFilter(_REDACTING)
        return logger

    def _log(self, level: int, message: str, exc_info: Any = None, **fields: Any) -> None:
        logger = self.get_logger()
        if logger.isEnabledFor(level):
            logger.log(level, str(message), exc_info=exc_info, extra=_extra(fields), stacklevel=3)

    def debug(self, message: str, **kwargs: Any) -> None:
        """Log at DEBUG; keywords become fields of the record."""
        self._log(logging.DEBUG, message, **kwargs)

    def info(self, message: str, **kwargs: Any) -> None:
        """Log at INFO; keywords become fields of the record."""
        self._log(logging.INFO, message, **kwargs)

    def warning(self, message: str, **kwargs: Any) -> None:
        """Log at WARNING; keywords become fields of the record."""
        self._log(logging.WARNING, message, **kwargs)

    def error(self, message: str, exc_info: bool = True, exception: Optional[Exception] = None, **kwargs: Any) -> None:
        """Log at ERROR with the exception given, or the one in hand."""
        self._log(logging.ERROR, message, _exception(exc_info, exception), **kwargs)

    def critical(self, message: str, exc_info: bool = True, exception: Optional[Exception] = None, **kwargs: Any) -> None:
        """Log at CRITICAL with the exception given, or the one in hand."""
        self._log(logging.CRITICAL, message, _exception(exc_info, exception), **kwargs)

    def set_context(self, **context_kwargs: Any) -> None:
        """Set the request in hand: request_id, user_id, trace_id, event_type."""
        self._context.set_context(**context_kwargs)

    def clear_context(self) -> None:
        """Forget the request in hand."""
        self._context.clear_context()

    def get_context(self) -> dict[str, Any]:
        """A copy of the request in hand."""
        return self._context.get_context()

    @contextmanager
    def request_context(self, **context_kwargs: Any) -> Iterator[dict[str, Any]]:
        """Set the request in hand for a block."""
        with self._context.request_context(**context_kwargs) as context:
            yield context

    def log_performance(self, operation: str, duration: float, **kwargs: Any) -> None:
        """Log how long something took, in seconds."""
        self.info(f"{operation} took {duration:.3f}s", operation=operation, duration=duration, **kwargs)

    def log_api_call(self, method: str, url: str, status_code: int, duration: float, **kwargs: Any) -> None:
        """Log a call of an HTTP interface; at ERROR from status 400 on."""
        level = logging.ERROR if status_code >= 400 else logging.INFO
        self._log(level, f"{method} {url} {status_code} in {duration:.3f}s", status_code=status_code, **kwargs)

    def get_execution_time_decorator(self) -> Callable[..., Any]:
        """Return :func:`log_execution_time`."""
        return log_execution_time

    async def shutdown(self) -> None:
        """Write out what handlers still hold."""
        for handler in logging.getLogger().handlers:
            handler.flush()


def _extra(fields: dict[str, Any]) -> dict[str, Any]:
    reserved = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime"}
    clean = SensitiveDataFilter.filter_dict(fields)
    return {f"{key}_" if key in reserved else key: value for key, value in clean.items()}


def _exception(exc_info: bool, exception: Optional[BaseException]) -> Any:
    if exception is not None:
        return exception
    return bool(exc_info) and sys.exc_info()[0] is not None


def get_ssot_logger() -> UnifiedLoggingSSOT:
    """The one place that hands out loggers."""
    return UnifiedLoggingSSOT()


central_logger = get_ssot_logger()


def get_central_logger() -> UnifiedLoggingSSOT:
    """The one place that hands out loggers."""
    return get_ssot_logger()


def get_logger(name: Optional[str] = None) -> logging.Logger:
    """Return a standard logger whose records are redacted and carry the request in hand."""
    return get_ssot_logger().get_logger(name)


@contextmanager
def request_context(**context_kwargs: Any) -> Iterator[dict[str, Any]]:
    """Set the request in hand for a block: request_id, user_id, trace_id, event_type."""
    with get_ssot_logger().request_context(**context_kwargs) as context:
        yield context


def log_execution_time(operation_name: Optional[str] = None) -> Callable[[_Function], _Function]:
    """Decorate a function, sync or async, to log how long each call took."""

    def decorate(function: _Function) -> _Function:
        name = operation_name or function.__qualname__
        import inspect

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def timed_async(*args: Any, **kwargs: Any) -> Any:
                begin = time.perf_counter()
                try:
                    return await function(*args, **kwargs)
                finally:
                    get_ssot_logger().log_performance(name, time.perf_counter() - begin)

            return timed_async  # type: ignore[return-value]

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            begin = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                get_ssot_logger().log_performance(name, time.perf_counter() - begin)

        return timed  # type: ignore[return-value]

    return decorate


def log_performance(operation: str) -> Callable[[_Function], _Function]:
    """Decorate a function to log how long each call took, under a name."""
    return log_execution_time(operation)


def reset_logging() -> None:
    """Forget the request in hand and make the one place anew; for tests."""
    global central_logger
    _CONTEXT.set({})
    UnifiedLoggingSSOT._instance = None
    central_logger = UnifiedLoggingSSOT()
