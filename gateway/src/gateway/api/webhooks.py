"""What became of an analysis' webhook, and calling it again."""

from fastapi import APIRouter
from starlette.status import HTTP_202_ACCEPTED

from gateway.ports import Webhooks
from gateway.schemas import WebhookDelivery
from service_kit.errors import Conflict, NotFound, NotReady
from service_kit.problems import declare


def create_router(webhooks: Webhooks) -> APIRouter:
    """`/v1/analyses/{analysis_id}/webhook`."""
    router = APIRouter(prefix="/v1/analyses", tags=["analyses"])

    @router.get(
        "/{analysis_id}/webhook",
        summary="What became of the webhook",
        responses=declare(NotFound, NotReady),
    )
    async def get_delivery(analysis_id: str) -> WebhookDelivery:
        """404 for an analysis that was sent without one."""
        return await webhooks.delivery(analysis_id)

    @router.post(
        "/{analysis_id}/webhook/redeliveries",
        summary="Call the webhook again",
        status_code=HTTP_202_ACCEPTED,
        responses=declare(NotFound, Conflict, NotReady),
    )
    async def redeliver(analysis_id: str) -> WebhookDelivery:
        """With the same `webhook-id`, and as many tries as at first; also for one that was delivered."""
        return await webhooks.redeliver(analysis_id)

    return router
