// Command lambda is the function reports.
package main

import (
	"regulars/functions/gateway"
	"regulars/functions/reports"
	"regulars/shared/web"
)

func main() {
	gateway.Serve(func(g *web.Gate) web.Routes { return (&reports.Handler{Gate: g}).Routes() })
}
