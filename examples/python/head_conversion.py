"""Passes the head of a request to the component.

wasmtime's `Func.__call__` converts each byte of a list in a Python call of its own, which takes some milliseconds for a usual head, and more than a
second for a long one: a client could stop an event loop with it. This module does the same in less time for this one record. It uses the internal
conversion of the wasmtime version that `requirements.txt` has; compare it with `wasmtime/component/_func.py` when you change that version.
"""

from __future__ import annotations

import ctypes
from ctypes import byref
from typing import Any

from wasmtime import Store, _ffi as ffi
from wasmtime.component import Func
from wasmtime.component._enter import enter_wasm

from head import RequestHead

Value = ffi.wasmtime_component_val_t


def _byte(number: int) -> bytes:
    value = Value()
    value.kind = ffi.WASMTIME_COMPONENT_U8
    value.of.u8 = number
    return bytes(value)


# The component value `u8` is the same for each number, except for one byte.
ZERO = _byte(0)
PLACE = next(place for place, byte in enumerate(_byte(0xFF)) if byte != ZERO[place])


def call_with_head(store: Store, function: Func, head: RequestHead, *received_at: int) -> Any:
    """Calls a function whose first parameter is a `request-head`, and whose second one, if there is one, is a `u64`."""
    arguments = (Value * (1 + len(received_at)))()
    head_value(arguments[0], head)
    for argument, number in zip(arguments[1:], received_at):
        argument.kind, argument.of.u64 = ffi.WASMTIME_COMPONENT_U64, number
    try:
        result = Value()
        enter_wasm(
            lambda: ffi.wasmtime_component_func_call(
                byref(function._func), store._context(), arguments, len(arguments), byref(result), 1
            )
        )
        result_type = function.type(store).result
        assert result_type is not None
        return result_type.convert_from_c(result)
    finally:
        for argument in arguments:
            ffi.wasmtime_component_val_delete(byref(argument))


def head_value(value: Any, head: RequestHead) -> None:
    method, target, authority, headers = record_value(value, "method", "target", "authority", "headers")
    text_value(method, head.method)
    text_value(target, head.target)
    authority.kind = ffi.WASMTIME_COMPONENT_OPTION
    authority.of.option = None
    if head.authority is not None:
        text = Value()
        text_value(text, head.authority)
        authority.of.option = ffi.wasmtime_component_val_new(byref(text))
    for field, (name, content) in zip(list_value(headers, len(head.headers)), head.headers):
        name_value, content_value = record_value(field, "name", "value")
        text_value(name_value, name)
        bytes_value(content_value, content)


def record_value(value: Any, *names: str) -> list[Any]:
    value.kind = ffi.WASMTIME_COMPONENT_RECORD
    ffi.wasmtime_component_valrecord_new_uninit(byref(value.of.record), len(names))
    clear(value.of.record)
    members = [value.of.record.data[index] for index in range(len(names))]
    for member, name in zip(members, names):
        copy_text(member.name, name)
    return [member.val for member in members]


def list_value(value: Any, length: int) -> list[Any]:
    value.kind = ffi.WASMTIME_COMPONENT_LIST
    ffi.wasmtime_component_vallist_new_uninit(byref(value.of.list), length)
    clear(value.of.list)
    return [value.of.list.data[index] for index in range(length)]


def clear(vector: Any) -> None:
    """Makes each element a value that can be deleted, also if the conversion ends before it is set."""
    ctypes.memset(vector.data, 0, vector.size * ctypes.sizeof(vector.data._type_))


def text_value(value: Any, text: str) -> None:
    value.kind = ffi.WASMTIME_COMPONENT_STRING
    copy_text(value.of.string, text)


def copy_text(to: Any, text: str) -> None:
    content = text.encode()
    ffi.wasm_byte_vec_new_uninitialized(byref(to), len(content))
    ctypes.memmove(to.data, content, len(content))


def bytes_value(value: Any, content: bytes) -> None:
    elements = bytearray(ZERO * len(content))
    elements[PLACE :: len(ZERO)] = content
    value.kind = ffi.WASMTIME_COMPONENT_LIST
    ffi.wasmtime_component_vallist_new_uninit(byref(value.of.list), len(content))
    ctypes.memmove(value.of.list.data, (ctypes.c_char * len(elements)).from_buffer(elements), len(elements))
