"""One series over another, and the registration it may need. No Qt."""

from __future__ import annotations

from typing import Final

from viewer.acts.act import Act, Scope

FUSION: Final = "Fusion"

ACTS: tuple[Act, ...] = (
    Act(
        "fusion.switch",
        "Fusion: lay the PET (or another series) over this one, and back",
        Scope.WINDOW,
        FUSION,
        ("Ctrl+Shift+F",),
        "stack",
    ),
    Act("fusion.choose", "Fusion: choose the series that lies over this one", Scope.WINDOW, FUSION),
    Act("fusion.more", "Fusion: more of the upper series", Scope.WINDOW, FUSION, ("Ctrl+Shift+Up",)),
    Act("fusion.less", "Fusion: less of it", Scope.WINDOW, FUSION, ("Ctrl+Shift+Down",)),
    Act("fusion.next_map", "Fusion: next colour map", Scope.WINDOW, FUSION),
    Act("fusion.swap", "Fusion: upper and lower series change places", Scope.WINDOW, FUSION),
    Act(
        "registration.start",
        "Register two series whose frames of reference differ",
        Scope.WINDOW,
        FUSION,
        ("Ctrl+Shift+T",),
    ),
    Act(
        "registration.confirm",
        "Registration: confirm the match that is shown",
        Scope.WINDOW,
        FUSION,
        audited=True,
    ),
    Act("registration.discard", "Registration: discard the match that is shown", Scope.WINDOW, FUSION),
    Act(
        "registration.forget",
        "Registration: take back the confirmed one of this series",
        Scope.WINDOW,
        FUSION,
        audited=True,
    ),
)
"""In the order in which menus and the shortcut sheet show them."""
