"""Running the service's processes: web workers, projector, embedded database."""
