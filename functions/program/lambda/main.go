// Command lambda is the function program.
package main

import (
	"regulars/functions/gateway"
	"regulars/functions/program"
	"regulars/shared/web"
)

func main() {
	gateway.Serve(func(g *web.Gate) web.Routes { return (&program.Handler{Gate: g}).Routes() })
}
