"""The FHIR R4 façade over HTTP. Routes and negotiation here; what resources hold is service/fhir's matter."""
