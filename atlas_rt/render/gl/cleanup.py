"""Freeing GPU objects that Python dropped, on the thread of the context.

With `ctx.gc_mode = "context_gc"` dropped objects wait in a queue instead of being deleted on whichever thread the
collector runs. moderngl's own `ctx.gc()` stumbles over objects that were released before they were dropped
(AttributeError on InvalidObject, 5.13), which is every object of ours; so the queue is emptied here.
"""

from __future__ import annotations

import moderngl


def sweep(ctx: moderngl.Context) -> int:
    """Delete what waits in the queue; how many there were. Call it once a frame; nothing waiting costs nothing."""
    count = 0
    while ctx.objects:
        dropped = ctx.objects.popleft()
        if not isinstance(dropped, moderngl.InvalidObject):
            dropped.release()
            count += 1
    return count


def release_target(ctx: moderngl.Context, target: moderngl.Framebuffer) -> None:
    """Free a framebuffer object of ours with its attachments.

    moderngl binds the framebuffer it believes to be current again after making another; were that one already deleted,
    it would be an invalid operation. So nothing of ours stays bound.
    """
    attachments = [*target.color_attachments, target.depth_attachment]
    ctx.detect_framebuffer(0).use()
    target.release()
    for attachment in attachments:
        if attachment is not None:
            attachment.release()
