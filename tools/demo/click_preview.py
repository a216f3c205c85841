"""What a click will probably find: shown at once, until the exact answer is there."""
from dataclasses import replace
from typing import Optional

import torch

from projects.glee.apis import InteractiveSession, SessionObject

NEW = -1  # id of an object that the session does not have yet


class ClickPreview:
    """Decodes clicks from pixels that are encoded once for the picture; the session itself learns nothing of it.

    Args:
        session: with a picture, whose features and encoded pixels are shared.
    """

    def __init__(self, session: InteractiveSession) -> None:
        self._session = session
        self._quick = InteractiveSession(session.named, carve_radius=session.carve_radius, first='shared',
                                         refine='decoder')
        self._quick.show(session.image)

    @torch.no_grad()
    def prepare(self) -> None:
        """Encode the pixels now, and not at the first click."""
        self._quick.image.shared_pixels(self._quick.head, ('object', ))

    def of(self, point: tuple, object_id: Optional[int] = None) -> Optional[SessionObject]:
        """The object after one more point.

        Args:
            point: (x, y, sign), px of the picture.
            object_id: which one is corrected; None for a new one.

        Returns:
            SessionObject | None: None after a text or reference, where nothing is quicker than the exact answer.
        """
        self._quick.reset()
        if object_id is None:
            return replace(self._quick.add(points=[point]), id=NEW)
        latest = self._session.last_round(object_id)
        prompt = latest.prompt
        if prompt.kind is None or prompt.text is not None or prompt.reference is not None:
            return None
        return replace(self._quick.refine(self._quick.resume(latest), points=[point]), id=object_id)
