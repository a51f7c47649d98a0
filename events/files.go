package events

import "embed"

// Files are the contract with whoever listens, for each type of event: its
// JSON Schema as schemas/<type>.json, and one as it goes out as
// samples/<type>.json.
//
//go:embed schemas/*.json samples/*.json
var Files embed.FS
