// Show the API's own OpenAPI document; everything comes from this host.
"use strict";

window.addEventListener("DOMContentLoaded", () => {
  window.SwaggerUIBundle({
    dom_id: "#swagger-ui",
    url: "/openapi.json",
    deepLinking: true,
    validatorUrl: null, // the document is never sent to a validator elsewhere
    queryConfigEnabled: false, // a link cannot point this page at another document
    persistAuthorization: false, // a token typed in is gone with the page
    displayRequestDuration: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
  });
});
