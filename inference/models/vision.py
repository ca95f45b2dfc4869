"""Pictures for a loaded model: raw RGB through libmtmd's projector into the context of the model.

Only bitmaps are handed over (`mtmd_bitmap_init`): no file format, no decoder of others, no URL. Runs in
the model worker only. A picture of the projector's own size is taken as it is; any other is scaled by
libmtmd in the way of the projector's family.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

MARKER = "<__media__>"
"""Stands for the picture in the text that libmtmd splits; that text is never a user's."""

_IMAGE = 1
"""MTMD_INPUT_CHUNK_TYPE_IMAGE."""

Rgb = npt.NDArray[np.uint8]
"""A picture: rows, columns, red, green and blue."""


class PictureRefusal(Exception):
    """The projector cannot be joined to the model, or a picture cannot be read; in words."""


class Projector:
    """The projector file of a pair beside its model; `close` frees the native memory.

    Parameters
    ----------
    log
        llama.cpp's log callback of this process: libmtmd has logs of its own.
    model
        The loaded model; must outlive the projector.
    device
        Whether the projector goes to the graphics card, if llama.cpp has one.

    Raises
    ------
    PictureRefusal
        The two do not fit.
    """

    def __init__(self, path: str, model: Any, *, threads: int, log: Any, device: bool = False) -> None:
        from llama_cpp import mtmd_cpp

        self._mtmd: Any = mtmd_cpp
        self._mtmd.mtmd_log_set(log, ctypes.c_void_p(0))
        self._mtmd.mtmd_helper_log_set(log, ctypes.c_void_p(0))
        parameters = self._mtmd.mtmd_context_params_default()
        parameters.use_gpu = device
        parameters.print_timings = False
        parameters.warmup = False
        parameters.n_threads = threads
        self._context = self._mtmd.mtmd_init_from_file(path.encode(), model, parameters)
        if not self._context:
            raise PictureRefusal(
                "llama.cpp cannot join the projector file to the model. Get the pair again."
            )

    def close(self) -> None:
        """Free the native memory; a second time does nothing."""
        if self._context:
            self._mtmd.mtmd_free(self._context)
        self._context = None

    @contextmanager
    def _chunks(self, before: str, picture: Rgb) -> Iterator[Any]:
        """Split text and picture into what the model reads."""
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise PictureRefusal("A picture for the model has three channels of 8 bits.")
        data = np.ascontiguousarray(picture)
        pointer = data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        text = (before + MARKER).encode()
        given = self._mtmd.mtmd_input_text(
            text=text, text_len=len(text), add_special=False, parse_special=True
        )
        with ExitStack() as held:
            bitmap = self._mtmd.mtmd_bitmap_init(data.shape[1], data.shape[0], pointer)
            held.callback(self._mtmd.mtmd_bitmap_free, bitmap)
            chunks = self._mtmd.mtmd_input_chunks_init()
            held.callback(self._mtmd.mtmd_input_chunks_free, chunks)
            bitmaps = (self._mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
            if self._mtmd.mtmd_tokenize(self._context, chunks, ctypes.byref(given), bitmaps, 1):
                raise PictureRefusal("The picture cannot be prepared for this model.")
            yield chunks

    def read(
        self,
        context: Any,
        before: str,
        picture: Rgb,
        *,
        batch: int,
        room: int,
        library: Any,
    ) -> tuple[int, int]:
        """Read control text and a picture into an empty context.

        Returns the tokens that they took, and the position behind them.

        Parameters
        ----------
        batch
            Tokens read at once; in families whose tokens of a picture see each other at least as many
            as the picture has, or llama.cpp ends the process.
        room
            Tokens that the context has.

        Raises
        ------
        PictureRefusal
            The picture does not fit, or llama.cpp could not go on (also when it was cancelled).
        """
        with self._chunks(before, picture) as chunks:
            every = [
                int(self._mtmd.mtmd_input_chunk_get_n_tokens(chunk)) for chunk in self._each(chunks)
            ]
            whole = self._mtmd.mtmd_decode_use_non_causal(self._context, None)
            if (whole and max(every) > batch) or sum(every) >= room:
                raise PictureRefusal(
                    f"The picture takes {sum(every)} tokens; "
                    f"the model reads at most {min(batch, room) if whole else room}."
                )
            after = library.llama_pos(0)
            status = self._mtmd.mtmd_helper_eval_chunks(
                self._context, context, chunks, 0, 0, batch, False, ctypes.byref(after)
            )
        if status:
            raise PictureRefusal(f"llama.cpp could not read the picture (status {status}).")
        return sum(every), int(after.value)

    def embeddings(self, picture: Rgb, width: int) -> npt.NDArray[np.float32]:
        """Return (token, width) what the model is given in place of the picture."""
        with self._chunks("", picture) as chunks:
            for chunk in self._each(chunks):
                if self._mtmd.mtmd_input_chunk_get_type(chunk) != _IMAGE:
                    continue
                if self._mtmd.mtmd_encode_chunk(self._context, chunk):
                    raise PictureRefusal("llama.cpp could not encode the picture.")
                count = int(self._mtmd.mtmd_input_chunk_get_n_tokens(chunk))
                pointer = ctypes.cast(
                    self._mtmd.mtmd_get_output_embd(self._context), ctypes.POINTER(ctypes.c_float)
                )
                return np.array(np.ctypeslib.as_array(pointer, (count, width)), dtype=np.float32)
        raise PictureRefusal("The picture has no tokens in this model.")

    def _each(self, chunks: Any) -> Iterator[Any]:
        for number in range(self._mtmd.mtmd_input_chunks_size(chunks)):
            yield self._mtmd.mtmd_input_chunks_get(chunks, number)
