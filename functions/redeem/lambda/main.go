// Command lambda is the function redeem.
package main

import (
	"regulars/functions/gateway"
	"regulars/functions/redeem"
	"regulars/shared/web"
)

func main() {
	gateway.Serve(func(g *web.Gate) web.Routes { return (&redeem.Handler{Gate: g}).Routes() })
}
