// Command lambda is the function refer.
package main

import (
	"regulars/functions/gateway"
	"regulars/functions/refer"
	"regulars/shared/web"
)

func main() {
	gateway.Serve(func(g *web.Gate) web.Routes { return (&refer.Handler{Gate: g}).Routes() })
}
