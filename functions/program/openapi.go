package program

import _ "embed" // the description below

// description is the API's own OpenAPI 3.1 description. A test holds it
// against the handlers.
//
//go:embed openapi.json
var description []byte
