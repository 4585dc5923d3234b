"""The sealer as ``serve`` starts it: nothing is loaded that it does not need, so it is there sooner."""

from service.ledger.keys import read_keys
from service.ledger.seen import Seen
from service.logs import set_up
from service.serving.sealer import seal
from service.serving.supervise import end_with_supervisor, signals
from service.settings import Settings

settings = Settings.from_environment()
set_up(settings.log_level)
end_with_supervisor()
url = settings.sealer_url or settings.database_url or ""
with signals() as stop:
    seal(url, read_keys(settings.sealer_key), Seen(settings.sealer_seen), stop)
