"""Whether the services that an application needs are ready."""
