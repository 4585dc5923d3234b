"""The lives of the demo clinic's plans, one module each. Everybody in them is made up."""

from __future__ import annotations

from service.demo.lives import (
    agoraphobia,
    burnout,
    couple,
    panic,
    self_esteem,
    self_harm,
    teen,
    trauma,
)

LIVES = (
    teen.LIFE,
    agoraphobia.LIFE,
    couple.LIFE,
    self_harm.LIFE,
    trauma.LIFE,
    burnout.LIFE,
    self_esteem.LIFE,
    panic.LIFE,
)
